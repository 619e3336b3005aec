import { oneLine } from './format.js';

/** Why the images of a run cannot be shown. */
export type ImageReason =
  | { readonly kind: 'not-found'; readonly name: string; readonly message: string }
  | { readonly kind: 'other-images'; readonly name: string }
  | { readonly kind: 'pictures'; readonly name: string };

/**
 * Why the images of a run are not shown, in words.
 *
 * @param reason - why
 */
export function imageReasonText(reason: ImageReason): string {
  switch (reason.kind) {
    case 'not-found':
      return `The images of ${reason.name} are not shown: ${oneLine(reason.message)} "edgeflex report --models --data <directory>" takes the folder they lie in.`;
    case 'other-images':
      return `The images of ${reason.name} that lie here are not those of the run, and are not shown.`;
    case 'pictures':
      return `The images of ${reason.name} are cut as each model wants them, which a run does not store: they are not shown.`;
  }
}
