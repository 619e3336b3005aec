import { describe, expect, it } from 'vitest';
import { gather } from '../../../src/analysis/procure/gather.js';
import type { Observation, TimedFacts } from '../../../src/analysis/procure/observe.js';
import { exactly } from '../../../src/stats/arithmetic.js';

const timed: TimedFacts = {
  ...{ latency: exactly(1), latencyIsSure: true, throughput: exactly(1000), doubt: undefined },
  ...{ memory: undefined, watts: undefined },
};

function seen(runId: string, changes: Partial<Observation> = {}): Observation {
  return {
    ...{ runId, startedAt: runId, device: 'board', deviceLabel: 'board', hardware: 'A76, 4 threads' },
    ...{ emulated: false, model: 'vit', recipe: 'int8', artifact: 'x', timed, top1: undefined },
    ...{ served: undefined, images: { name: 'cifar10', hash: 'c' }, unscorable: false, failure: undefined },
    ...changes,
  };
}

describe('what several runs say of the same', () => {
  it('is what the newest says; older ones are named', () => {
    const { gathered } = gather([seen('2026-01'), seen('2026-03'), seen('2026-02')]);
    expect(gathered).toHaveLength(1);
    expect([gathered[0]!.main.runId, gathered[0]!.older]).toEqual(['2026-03', ['2026-02', '2026-01']]);
  });

  it('takes the accuracy of another run only when it is of the very same artifact', () => {
    const top1 = exactly(0.9);
    const newest = seen('2026-03');
    const same = gather([newest, seen('2026-02', { top1, timed: undefined })]).gathered[0]!;
    expect([same.main.runId, same.scored?.runId, same.older]).toEqual(['2026-03', '2026-02', []]);
    const other = gather([newest, seen('2026-02', { top1, artifact: 'y' })]).gathered[0]!;
    expect([other.scored, other.older]).toEqual([undefined, ['2026-02']]);
  });

  it('takes the rate under load of another run only when it is of the very same artifact', () => {
    const served = { rate: exactly(30), bound: 50, isSure: true };
    const newest = seen('2026-03');
    const same = gather([newest, seen('2026-02', { served, timed: undefined })]).gathered[0]!;
    expect([same.main.runId, same.served?.runId, same.older]).toEqual(['2026-03', '2026-02', []]);
    const other = gather([newest, seen('2026-02', { served, artifact: 'y' })]).gathered[0]!;
    expect([other.served, other.older]).toEqual([undefined, ['2026-02']]);
  });

  it('is not mixed over machines, models, recipes and emulators', () => {
    const all = [
      ...[{}, { hardware: 'A72, 4 threads' }, { model: 'deit' }, { recipe: 'fp32' }, { emulated: true }],
      ...[{ device: 'other' }],
    ].map((changes) => seen('2026-01', changes));
    expect(gather(all).gathered).toHaveLength(all.length);
  });

  it("knows a machine that has another one's name", () => {
    const { gathered } = gather([
      seen('2026-02', { hardware: 'new' }),
      seen('2026-01', { hardware: 'old' }),
      seen('2026-01', { device: 'alone' }),
    ]);
    expect(
      gathered.map(({ main, sharesName, isFormerMachine }) => [main.hardware, sharesName, isFormerMachine]),
    ).toEqual([
      ['new', true, false],
      ['old', true, true],
      ['A76, 4 threads', false, false],
    ]);
  });

  it('is about the images of the newest run; runs on others are named', () => {
    const { gathered, images, otherImages } = gather([
      seen('2026-02'),
      seen('2026-01', { images: { name: 'shapes10', hash: 's' }, model: 'micro' }),
    ]);
    expect(gathered.map(({ main }) => main.model)).toEqual(['vit']);
    expect(images?.name).toBe('cifar10');
    expect(otherImages).toEqual([{ name: 'shapes10', runs: ['2026-01'] }]);
  });
});
