import { withoutControls } from '../base/control.js';
import { parseFailure, type CellFailure } from '../protocol/failure.js';

/**
 * Why a cell failed or is not supported, in words that follow "failed:" or "not supported here, because".
 *
 * @param failure - the facts
 */
export function failureText(failure: CellFailure): string {
  switch (failure.kind) {
    case 'text':
    case 'device':
    case 'agent-failed':
    case 'no-kernels':
    case 'agent-ended':
      return withoutControls(failure.text);
    case 'recipe-refused':
      return `the recipe cannot be applied to this model: ${refusalText(failure)}`;
    case 'file-refused':
      return `${withoutControls(failure.file)} cannot be run unchanged: ${refusalText(failure)}`;
    case 'not-compressed':
      return `the model could not be compressed: ${withoutControls(failure.text)}`;
    case 'link-lost':
      return `${withoutControls(failure.text)} (${failure.tries} times)`;
    case 'agent-silent':
      return `the agent said nothing new for ${failure.seconds} s`;
    case 'task-too-long':
      return `the task went on for more than ${failure.seconds} s, which is implausibly long`;
    case 'protocol-broken':
      return `the agent broke the protocol: ${withoutControls(failure.text)}`;
    case 'other-provider':
      return `${failure.opType} ran on ${failure.ran} instead of ${failure.asked}`;
    case 'kernels-missing': {
      const { opType, ran, expected } = failure;
      return `${opType} ran ${ran} times in a query where the model has ${expected}`;
    }
    case 'logits-not-finite':
      return `logit ${failure.logit} of test image ${failure.image} is ${failure.found}: the weights are damaged, or float16 is too small for them`;
    case 'logits-differ': {
      const which = `logit ${failure.logit} of test image ${failure.image} is ${failure.here}`;
      const there = failure.there ?? 'missing';
      return failure.from === 'accuracy-pass'
        ? `${which} in the timed pass and ${there} in the accuracy pass`
        : `${which} here and ${there} on this machine's CPU`;
    }
    case 'fixed-batch':
      return `the file takes exactly ${failure.takes} ${failure.takes === 1 ? 'image' : 'images'} at once, not ${failure.asked}`;
    case 'other-classes':
      return `it has ${failure.has} classes and the images have ${failure.images}: it is timed but not scored`;
    case 'no-integer-kernels':
      return 'the file is quantised, but none of its products ran in integers';
    case 'weight-too-large':
      return `its largest weight takes ${failure.bytes} bytes and the adapter binds at most ${failure.most} at once`;
    case 'model-too-large':
      return `its files take ${failure.bytes} bytes and a page's runtime can address ${failure.most}`;
    case 'internal':
      return `internal error, a bug in edgeflex: ${withoutControls(failure.text)}`;
    case 'not-timed':
      return `not measured, because ${failureText(failure.because)}`;
  }
}

/** What was found where, and what was expected. */
function refusalText({
  place,
  found,
  expected,
}: Extract<CellFailure, { kind: 'recipe-refused' | 'file-refused' }>): string {
  const where = place === undefined ? '' : `${withoutControls(place)}: `;
  return `${where}found ${withoutControls(found)}; expected ${withoutControls(expected)}`;
}

/**
 * The same, as the store has it.
 *
 * @param stored - the reason of a cell's record; null where none was stored
 */
export function reasonText(stored: string | null): string {
  return stored === null ? 'no reason was stored' : failureText(parseFailure(stored));
}
