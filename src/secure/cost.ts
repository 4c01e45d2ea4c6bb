/** What taking part cost one party. */
export interface Cost {
  /** Of computing; nothing is waited for. */
  readonly seconds: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** Seconds since some moment. */
export type Clock = () => number;

/** A result and how long it took. */
export async function seconds<T>(clock: Clock, act: () => T | Promise<T>): Promise<readonly [T, number]> {
  const since = clock();
  const made = await act();
  return [made, clock() - since];
}

/** A bill of clients 1 … U and the server, to which costs are added. */
export function costs(clients: number) {
  const nothing: Cost = { seconds: 0, sentBytes: 0, receivedBytes: 0 };
  const own = Array.from({ length: clients }, () => nothing);
  let server = nothing;
  return {
    client: (id: number, more: Partial<Cost>) => {
      own[id - 1] = added(own[id - 1]!, more);
    },
    server: (more: Partial<Cost>) => {
      server = added(server, more);
    },
    total: (): { readonly clients: readonly Cost[]; readonly server: Cost } => ({ clients: [...own], server }),
  };
}

function added(cost: Cost, more: Partial<Cost>): Cost {
  return {
    seconds: cost.seconds + (more.seconds ?? 0),
    sentBytes: cost.sentBytes + (more.sentBytes ?? 0),
    receivedBytes: cost.receivedBytes + (more.receivedBytes ?? 0),
  };
}
