/** A state as tables show it: a sign that can be told without its colour, and a word. */
export interface StateWords {
  readonly sign: string;
  readonly word: string;
  /** What it is like; the colour follows from it. */
  readonly tone: 'going' | 'good' | 'doubt' | 'bad' | 'calm';
}

/** States of runs, cells, jobs and devices. */
export const states: Readonly<Record<string, StateWords>> = {
  running: { sign: '▶', word: 'running', tone: 'going' },
  unfinished: { sign: '◐', word: 'unfinished', tone: 'doubt' },
  complete: { sign: '✓', word: 'complete', tone: 'good' },
  'partly failed': { sign: '⚑', word: 'partly failed', tone: 'doubt' },
  failed: { sign: '✗', word: 'failed', tone: 'bad' },
  pending: { sign: '○', word: 'pending', tone: 'calm' },
  done: { sign: '✓', word: 'done', tone: 'good' },
  unsupported: { sign: '∅', word: 'not supported', tone: 'calm' },
  waiting: { sign: '○', word: 'waiting', tone: 'calm' },
  cancelled: { sign: '⊘', word: 'cancelled', tone: 'calm' },
  idle: { sign: '○', word: 'idle', tone: 'calm' },
  busy: { sign: '▶', word: 'busy', tone: 'going' },
  unreachable: { sign: '✗', word: 'unreachable', tone: 'bad' },
  draining: { sign: '◐', word: 'draining', tone: 'doubt' },
  silent: { sign: '⚑', word: 'silent', tone: 'doubt' },
  refused: { sign: '✗', word: 'refused', tone: 'bad' },
};
