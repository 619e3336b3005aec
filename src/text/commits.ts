import { oneLine } from './format.js';

/** A commit as it is told. */
export interface NamedCommit {
  readonly hash: string;
  /** The first line of its message. */
  readonly subject: string;
}

/** What happens while commits are measured. */
export type CommitEventFacts =
  | { readonly kind: 'preparing'; readonly of: string; readonly commit: NamedCommit }
  | {
      readonly kind: 'measuring-commits';
      readonly base: NamedCommit;
      readonly head: NamedCommit | undefined;
    }
  | { readonly kind: 'said'; readonly of: string; readonly line: string };

/** A commit: `1a2b3c4d5 Make it faster`. */
export function commitLabel({ hash, subject }: NamedCommit): string {
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
    case 'said':
      return `${event.of} │ ${event.line}`;
  }
}
