import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Job } from '../../src/base/job.js';

type Event =
  { readonly kind: 'step'; readonly done: number } | { readonly kind: 'found'; readonly name: string };

const isPassing = ({ kind }: Event): boolean => kind === 'step';

/** A job that tells of two findings and of steps between them, a moment apart. */
function counting(fault?: Error): Job<Event, number> {
  return new Job<Event, number>(async (emit) => {
    emit({ kind: 'found', name: 'first' });
    for (let done = 1; done <= 3; done++) {
      await sleep(1);
      emit({ kind: 'step', done });
    }
    emit({ kind: 'found', name: 'second' });
    if (fault) throw fault;
    return 42;
  }, isPassing);
}

async function eventsOf(job: AsyncIterable<Event>): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of job) events.push(event);
  return events;
}

describe('a job', () => {
  it('gives its result, whether or not anybody watches', async () => {
    expect(await counting()).toBe(42);
    const watched = counting();
    await eventsOf(watched);
    expect(await watched).toBe(42);
  });

  it('tells everything to whoever watches at once', async () => {
    expect(await eventsOf(counting())).toEqual([
      { kind: 'found', name: 'first' },
      ...[1, 2, 3].map((done) => ({ kind: 'step', done })),
      { kind: 'found', name: 'second' },
    ]);
  });

  it('keeps for whoever watches late what was found, and of steps in a row the last', async () => {
    const job = counting();
    await job;
    expect(await eventsOf(job)).toEqual([
      { kind: 'found', name: 'first' },
      { kind: 'step', done: 3 },
      { kind: 'found', name: 'second' },
    ]);
  });

  it('that fails says so after its last event, and when it is awaited', async () => {
    const fault = new Error('no more');
    const job = counting(fault);
    const seen: Event[] = [];
    const watch = async (): Promise<void> => {
      for await (const event of job) seen.push(event);
    };
    await expect(watch()).rejects.toBe(fault);
    expect(seen.at(-1)).toEqual({ kind: 'found', name: 'second' });
    await expect(job).rejects.toBe(fault);
  });

  it('goes on when nobody watches any more', async () => {
    const job = counting();
    for await (const event of job) if (event.kind === 'step') break;
    expect(await job).toBe(42);
  });

  it('cannot be watched twice', async () => {
    const job = counting();
    await eventsOf(job);
    await expect(eventsOf(job)).rejects.toThrow(TypeError);
  });
});
