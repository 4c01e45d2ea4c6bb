import type { SecureRoundResult } from "../audit/index.ts";
import { type Row, table, wrapped } from "./text-layout.ts";

/** The result of a round as text: what was run, a table of costs, and how exact the sum is. */
export function secureRoundText(result: SecureRoundResult): string {
  const { scheme, clients, survivors, threshold, about, numbers, encrypted, range } = result;
  const dropped = clients === survivors ? "none dropped out" : `${clients - survivors} dropped out`;
  const left = threshold === null ? "" : `; at least ${threshold} must be left`;
  const lines: Row[] = [
    ["scheme", scheme],
    ["updates", `${about}; ${count(numbers)} numbers within ±${range}`],
    ["clients", `${clients}, of which ${dropped}${left}`],
    ...(encrypted && encrypted.share < 1 ? [["encrypted", encryptedText(encrypted)]] : []),
  ];
  const costs = [HEAD, ...rowsOf(result)];
  return [...table(lines), "", ...table(costs), "", ...wrapped(exactness(result), WIDTH), "", ...PAPER].join("\n");
}

const HEAD: Row = ["", "seconds", "× training", "MB sent", "MB received"];
const WIDTH = 120;

const PAPER = wrapped(
  "Seconds are of computing in one process, without the network. For comparison, FedLeak (section 7) reports 702.03 s a client " +
    "and 793.79 s on the server a round beside 2.6 s of local training (ResNet-10, 12 steps of 16 images, other programs and machines).",
  WIDTH,
);

function rowsOf({ scheme, training, client, server, plain }: SecureRoundResult): Row[] {
  const row = (name: string, seconds: number, sent?: number, received?: number): Row => [
    name,
    secondsText(seconds),
    training ? ratio(seconds / training.seconds) : "–",
    ...[sent, received].map((bytes) => (bytes === undefined ? "–" : megabytes(bytes))),
  ];
  return [
    ...(training ? [row("local training, a client", training.seconds)] : []),
    row("a client, mean", client.seconds, client.sentBytes, client.receivedBytes),
    row("the slowest client", client.slowestSeconds),
    ...(scheme === "ckks" ? [row("opening the sum, a client", client.openSeconds)] : []),
    row("server", server.seconds, server.sentBytes, server.receivedBytes),
    row("unprotected: a client", 0, plain.bytes, plain.bytes),
    row("unprotected: server", plain.serverSeconds),
  ];
}

function encryptedText({ share, numbers, ownTopShare }: NonNullable<SecureRoundResult["encrypted"]>): string {
  const covered = `${(100 * ownTopShare).toFixed(1)} % of each client's own top ${100 * share} %`;
  return `${count(numbers)} numbers, the top ${100 * share} % of the summed magnitudes; they hold ${covered}. The rest is sent in clear.`;
}

function exactness({ scheme, exact, numbers, error }: SecureRoundResult): string {
  const bound = error.bound === null ? "measured, no bound is proved" : `bound ${error.bound.toExponential(1)}`;
  const relative = error.relative === null ? "" : `, ‖error‖/‖mean‖ ${error.relative.toExponential(1)}`;
  const mean = `The opened mean differs from the unprotected one by at most ${error.largest.toExponential(1)} (${bound}${relative}).`;
  if (scheme === "ckks") return mean;
  const same = exact
    ? `The opened sum is the plain sum of the rounded updates in all ${count(numbers)} integers.`
    : "The opened sum is NOT the plain sum of the rounded updates.";
  return `${same} ${mean}`;
}

const count = (n: number) => n.toLocaleString("en-US");
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(bytes < 1e5 ? 4 : 2);
const secondsText = (seconds: number) => (seconds === 0 ? "0" : seconds.toFixed(seconds < 1 ? 4 : 2));
const ratio = (x: number) => (x === 0 ? "0" : x.toFixed(x < 1 ? 4 : 2));
