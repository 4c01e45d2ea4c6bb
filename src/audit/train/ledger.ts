import { ruleText } from "../partition-spec.ts";
import type { Assumption } from "../record-schema.ts";
import { majorityShare, ON_THE_WAY } from "./measure.ts";
import type { Training } from "./prepare.ts";

/** What the numbers of a training assume, with who says so. */
export function trainLedger({ spec, model, weightsAbout, data, open, closed, test }: Training): Assumption[] {
  const { training, optimiser, federation, batchSize, batchNorm, seed, threads } = spec;
  const user = (assumption: string, value: string, note?: string): Assumption => ({
    assumption,
    value,
    origin: "user",
    ...(note !== undefined && { note }),
  });
  const ours = (assumption: string, value: string, note?: string): Assumption => ({
    ...user(assumption, value, note),
    origin: "our-choice",
  });
  const { learningRate, momentum, weightDecay, schedule, clip } = optimiser;
  const hasBuffers = model.buffers.length > 0;
  const measuredModel =
    training !== "centralised" && hasBuffers && federation.bnBuffers !== "averaged"
      ? "the mean over clients of the last round, each with BatchNorm buffers of its own"
      : "one model, BatchNorm by its running statistics";
  return [
    user("training", training),
    user("first-weights", weightsAbout),
    user("data", `${data.source}: ${closed.length} images to train on`),
    ours("public-split", `${open.length} images drawn from the seed; nobody trains on them, the accuracy is theirs`),
    ours(
      "accuracy",
      `${measuredOn(open.length, test?.labels.length)}; ${measuredModel}`,
      unseenText(spec.model.weights),
    ),
    {
      assumption: "majority-floor",
      value: [
        `${percent(majorityShare(open.map((i) => data.labels[i]!)))} of the public split`,
        ...(test ? [`${percent(majorityShare(test.labels))} of the test set`] : []),
      ].join(", "),
      origin: "measured",
      note: "What always naming the commonest class scores: an accuracy near it says nothing.",
    },
    ours("pixels", "in [0,1], not shifted by mean and deviation, not augmented"),
    user(
      "optimiser",
      `SGD, learning rate ${learningRate} (${schedule}), momentum ${momentum}, weight decay ${weightDecay}${clip === null ? "" : `, gradients clipped to norm ${clip}`}`,
    ),
    user("batch-size", `${batchSize}`),
    ...(hasBuffers ? [user("bn-mode", batchNorm)] : []),
    ...(training === "centralised" ? [] : federationEntries()),
    user("seed", `${seed}`),
    user(
      "threads",
      threads === 0 ? "one a core" : `${threads}`,
      "Equal results, bit for bit, need an equal number of threads.",
    ),
  ];

  function federationEntries(): Assumption[] {
    const { clients, share, partition, bnBuffers, localSteps, localEpochs } = federation;
    return [
      user("clients", `${clients}, ${Math.max(1, Math.round(clients * share))} drawn each round without replacement`),
      user("partition", ruleText(partition)),
      user(
        "local-steps",
        training === "fedsgd"
          ? "1, of which the gradient is sent"
          : localSteps === null
            ? `${localEpochs} ${localEpochs === 1 ? "epoch" : "epochs"}`
            : `${localSteps}`,
      ),
      ours("weighting", "clients count by the number of their images, as McMahan et al. 2017"),
      ours(
        "left-over-images",
        "those that fill no batch rest for an epoch; a client with fewer images than a batch uses all of them",
      ),
      ...(hasBuffers ? [user("bn-buffers", bnBuffers)] : []),
    ];
  }
}

/** On which images the accuracies are measured, along the way and at the end. */
function measuredOn(open: number, test: number | undefined): string {
  const way =
    open > ON_THE_WAY ? `${ON_THE_WAY} of them, evenly spread, along the way` : "all of them along the way too";
  const end = test === undefined ? "no test set was given" : `and on a test set of ${test} images at the end`;
  return `on the public split of ${open} images, ${way}; ${end}`;
}

/** What the intervals cover; weights of a file may have been trained on anything. */
function unseenText(weights: string | null): string {
  const interval = "Intervals are Wilson's, 95 %, over images: another seed may train to another accuracy.";
  return weights === null
    ? interval
    : `${interval} The first weights are of a file: whether they have seen these images is not known.`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
