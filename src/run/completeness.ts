import type { LogitsRecord, Measurement } from '../protocol/measurement.js';
import type { Task } from '../protocol/task.js';

/**
 * What a measurement lacks, or has too much of, for its task: an agent on another machine is believed no more than any other
 * input.
 *
 * @param task - what was asked
 * @param measurement - what came
 * @returns what is wrong, in words; undefined when nothing is
 */
export function incompleteness(task: Task, measurement: Measurement): string | undefined {
  if (measurement.started === undefined) return 'it never said which runtime it has';
  switch (task.kind) {
    case 'prepare':
      return undefined;
    case 'accuracy':
      return logitsFault(measurement.logits, task.count);
    case 'kernels':
      return measurement.kernels.length === 0 ? 'it named no kernel' : undefined;
    case 'performance':
      if (measurement.latencies.length === 0) return 'it timed no query';
      return logitsFault(measurement.logits, task.batch);
  }
}

/** Logits must be of the images 0 … count-1, in order, all with the same classes. */
function logitsFault(logits: readonly LogitsRecord[], count: number): string | undefined {
  let next = 0;
  for (const { first, classes, values } of logits) {
    if (first !== next) return `logits of image ${first} where those of image ${next} are due`;
    if (classes !== logits[0]!.classes || values.length % classes !== 0)
      return `${values.length} logits of ${classes} classes where images have ${logits[0]!.classes}`;
    next += values.length / classes;
  }
  return next === count ? undefined : `logits of ${next} images where ${count} were asked for`;
}
