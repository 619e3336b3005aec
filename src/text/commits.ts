import type { Commit } from '../base/commit.js';
import { oneLine } from './format.js';

/** What happens while commits are measured. */
export type CommitEventFacts =
  | { readonly kind: 'preparing'; readonly of: string; readonly commit: Commit }
  | {
      readonly kind: 'measuring-commits';
      readonly base: Commit;
      readonly head: Commit | undefined;
    }
  | { readonly kind: 'confirming' }
  | { readonly kind: 'said'; readonly of: string; readonly line: string };

/** A commit: `1a2b3c4d5 Make it faster`. */
export function commitLabel({ hash, subject }: Commit): string {
  return `${hash.slice(0, 9)} ${oneLine(subject)}`;
}

/**
 * What happens while commits are measured, as a line.
 *
 * @param event - what happens
 */
export function commitEventText(event: CommitEventFacts): string {
  switch (event.kind) {
    case 'preparing':
      return `${event.of}: preparing a work tree of ${commitLabel(event.commit)}`;
    case 'measuring-commits': {
      const head = event.head === undefined ? 'the working folder' : commitLabel(event.head);
      return `measuring in turn: ${commitLabel(event.base)}, and ${head}`;
    }
    case 'confirming':
      return 'a gate failed: measuring both commits again';
    case 'said':
      return `${event.of} │ ${event.line}`;
  }
}
