import { writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { DeviceError } from '../../src/base/errors.js';
import { square } from '../../src/base/size.js';
import { withWidths } from '../../src/compress/stand-ins.js';
import { defaultPreprocessing } from '../../src/data/preprocess.js';
import type { Device } from '../../src/device/device.js';
import type { NodeTime } from '../../src/protocol/events.js';
import { artifactOf } from '../../src/run/artifacts/artifact.js';
import type { LoadedModel } from '../../src/model/load.js';
import { nodeEngine } from '../../src/runtime/node.js';
import { searchDocument } from '../../src/search/document.js';
import { findingWords } from '../../src/search/findings.js';
import type { Finding, SearchOutcome } from '../../src/search/outcome.js';
import { frontOf } from '../../src/search/pareto-front.js';
import { search } from '../../src/search/search.js';
import { searchTable, verdictWords } from '../../src/search/table.js';
import { checkTarget } from '../../src/search/target-check.js';
import { parseTarget } from '../../src/search/target.js';
import { readRecipe } from '../../src/suite/read.js';
import { recipeText } from '../../src/suite/recipe-text.js';
import { syntheticViT } from '../../src/vit/synthetic.js';
import { useFolder } from '../support/folder.js';
import { openShapes } from '../support/micro.js';
import { refusalOf } from '../support/refusal.js';
import { openTestDevice } from '../support/tasks.js';

const folder = useFolder();
const data = await openShapes();
const device = await openTestDevice();
const SIDE = 64;
const tiny = syntheticViT('vit-tiny', 1, square(SIDE), data.train.labels);

/** Two narrow blocks of a small ViT. */
const model: LoadedModel = {
  name: 'two-blocks',
  vit: withWidths({ ...tiny, config: { ...tiny.config, mlpSizes: [768, 768] } }, [128, 128]),
  preprocessing: defaultPreprocessing(square(SIDE)),
  identity: 'two blocks of a test',
  digests: [],
  synthetic: true,
  card: undefined,
  record: { source: 'seed', notes: [] },
};

const context = {
  ...{ engine: await nodeEngine(), threads: 1, train: data.train, seed: 1, device },
  signal: new AbortController().signal,
  onProgress: () => undefined,
};

beforeEach(() => {
  vi.stubEnv('EDGEFLEX_CACHE', folder());
  onTestFinished(() => void vi.unstubAllEnvs());
});

interface Asked {
  readonly target?: string;
  /** Seconds. */
  readonly budget?: number;
  readonly onFinding?: (finding: Finding) => void;
}

const searchedFor = (
  { target, budget, onFinding = () => undefined }: Asked,
  changes: object = {},
): Promise<SearchOutcome> =>
  search(
    model,
    { ...context, ...changes },
    {
      target: target === undefined ? undefined : parseTarget(target),
      ...{ budget, onFinding },
      batch: 4,
      effort: { probeRounds: 1, rounds: 2, seconds: 0.02 },
    },
  );

const searched = (target: string, changes: object = {}, findings: Finding[] = []): Promise<SearchOutcome> =>
  searchedFor({ target, onFinding: (finding) => findings.push(finding) }, changes);

describe('a search', () => {
  it('for what cannot be reached names the nearest, whose recipe makes the same artifact again', async () => {
    const outcome = await searched('latency=1000x,memory=-1%');
    const { tried, predictedRecipes, levels } = outcome;
    const [best] = tried;
    expect(outcome.met).toBe(false);
    expect(outcome.lossKind).toBe('agreement');
    expect(best.distance).toBeGreaterThan(1);
    for (const each of tried) expect(each.distance).toBeGreaterThanOrEqual(best.distance);
    expect(tried.some(({ onFront }) => onFront)).toBe(true);
    expect(verdictWords(outcome).join('\n')).toMatch(/^Target not met .*\nIt misses latency: .* 1000\.00×/);

    // Every combination of what the knobs have, in every cut of four images.
    const combinations = levels.prune.length * levels.merge.length * levels.quantize.length;
    expect(predictedRecipes).toHaveLength(3 * combinations);
    expect(new Set(tried.map(({ settings }) => JSON.stringify(settings))).size).toBe(tried.length);
    for (const { settings, artifact } of tried) {
      expect(artifact.stages.find(({ stage }) => stage === 'prune') !== undefined).toBe(
        settings.prune !== undefined,
      );
      expect(artifact.kernels['MatMulIntegerToFloat']! > 0).toBe(settings.keep !== undefined);
    }

    await writeFile(folder('recipe.yaml'), recipeText(best.recipe, verdictWords(outcome)));
    const again = await artifactOf(model, await readRecipe(folder('recipe.yaml')), context);
    expect(again).toMatchObject({ key: best.artifact.key, cached: true });

    const document = JSON.parse(JSON.stringify(searchDocument(outcome, { batch: 4 }))) as {
      measured: { rounds: { milliseconds: number[]; peak: number }[] }[];
      predicted: object[];
    };
    expect(document.predicted).toHaveLength(predictedRecipes.length);
    for (const { rounds } of document.measured) {
      expect(rounds).toHaveLength(2);
      for (const { milliseconds, peak } of rounds) {
        expect(milliseconds.length).toBeGreaterThanOrEqual(5);
        expect(peak).toBeGreaterThan(0);
      }
    }
    const { rows } = searchTable(outcome);
    expect(rows).toHaveLength(tried.length + 1);
    const notesFor = (affordableImages: number): string =>
      searchTable({ ...outcome, images: 128, affordableImages }).notes.join('\n');
    expect(notesFor(8192)).toContain('8,192');
    expect(notesFor(128)).not.toContain('held out');
    expect(rows.slice(1).every((row) => row['target'] === 'fails')).toBe(true);

    // Agreement is counted, and nothing is expected of it.
    for (const { measured, figures } of tried) {
      expect(measured.loss).not.toHaveProperty('expected');
      expect(figures.loss).toBe(measured.loss.points.value);
    }
    expect(searchTable(outcome).columns.map(({ key }) => key)).not.toContain('counted');

    // Had the weights been trained, what is expected would stand beside what is counted.
    const told = (limit: string, counted = 0.78) => {
      const loss = { images: 128, changed: 0.02, points: { value: counted, low: -0.91, high: 2.17 } };
      const measured = {
        ...best.measured,
        loss: { ...loss, expected: { value: 0.41, low: 0.3, high: 0.62 } },
      };
      const accuracy = parseTarget(`accuracy-loss=${limit}pt`);
      const checks = checkTarget(accuracy, measured);
      const each = { ...best, measured, checks };
      const met = checks.every((check) => check.met);
      const trained = { ...outcome, target: accuracy, lossKind: 'accuracy', accuracy: 0.9, met } as const;
      const { columns, rows: shown, notes } = searchTable({ ...trained, tried: [each] });
      return {
        keys: columns.map(({ key }) => key),
        row: shown[1]!,
        words: verdictWords({ ...trained, tried: [each] }).join('\n'),
        notes: notes.join('\n'),
      };
    };
    const { keys, row, words, notes } = told('1');
    expect(keys.slice(keys.indexOf('loss'))).toEqual(['loss', 'lossPredicted', 'counted', 'target', 'front']);
    expect(row).toMatchObject({
      loss: '0.41 (0.30 to 0.62)',
      counted: '0.78 (−0.91 to 2.17)',
      target: 'meets',
    });
    expect(words).toMatch(/^Target met [^\n]*$/);
    expect(notes).not.toContain('meets?');
    const doubtful = told('0.5', 0.3);
    expect(doubtful.row).toMatchObject({ target: 'meets?' });
    expect(doubtful.notes).toContain('meets?');
    expect(doubtful.words).toMatch(
      /^Target met .*\n.*accuracy-loss.*0\.30 points to 0\.62 points\) expected.*0\.50 points\.$/,
    );
    expect(told('0.6').words).toMatch(
      /^Target not met .*\n.*0\.78 points \(.*0\.60 points, .*0\.41 points \(.*expected/,
    );
    expect(told('0.35').words).toMatch(
      /\nIt misses accuracy-loss: 0\.41 points \(.*\) expected instead of 0\.35 points; the interval/,
    );
    expect(told('0.2').words).toMatch(/ expected instead of 0\.20 points\.\n/);
  }, 240_000);

  it('refuses to judge the accuracy of weights from a seed', async () => {
    const fault = await refusalOf(() => searched('accuracy-loss=0.5pt'));
    expect(fault).toMatchObject({ source: '--target', place: 'accuracy-loss' });
    expect(fault.found).toContain('two-blocks');
  });

  it('measures no candidate in which other kernels run than it stands for', async () => {
    // The agent's own events, but for the name of the integer product: as if the runtime had taken another.
    const renamed = (node: NodeTime): NodeTime => ({
      ...node,
      opType: node.opType.replace('MatMulIntegerToFloat', 'MatMul'),
    });
    const elsewhere: Device = {
      ...device,
      measure: (task, watch) =>
        device.measure(task, {
          ...watch,
          onEvent: (event) => {
            watch.onEvent(event.event === 'kernels' ? { ...event, nodes: event.nodes.map(renamed) } : event);
          },
        }),
    };
    const findings: Finding[] = [];
    await expect(searched('latency=1000x', { device: elsewhere }, findings)).rejects.toThrow(
      /no candidate ran as it was meant: MatMulIntegerToFloat ran 0 times/,
    );
    const leftOut = findings.filter((finding) => finding.kind === 'left-out');
    expect(leftOut.length).toBeGreaterThan(1);
    for (const finding of leftOut) {
      const { settings, failure } = finding.leftOut;
      expect(settings.keep).toBeDefined();
      expect(failure).toMatchObject({ kind: 'kernels-missing', opType: 'MatMulIntegerToFloat', ran: 0 });
      expect(findingWords(finding)).toMatch(/left out.*MatMulIntegerToFloat/);
    }
  }, 240_000);

  it('for a front gives what no other beats, and ends when the time is up', async () => {
    const outcome = await searchedFor({ budget: 0.001 });
    const { tried, explored, end, levels } = outcome;
    expect({ explored, end }).toEqual({ explored: true, end: { kind: 'out-of-time' } });
    // The gentlest position of one knob and one candidate, however little time there is.
    const found = Object.values(levels).flatMap((list: readonly { loss: unknown }[]) => list.slice(1));
    expect(found).toHaveLength(1);
    expect(tried).toHaveLength(1);
    expect(searchTable(outcome).rows[1]).toMatchObject({ front: 'front/1.yaml' });
  }, 240_000);

  it('that is stopped, or whose device fails, gives what it has measured', async () => {
    const controller = new AbortController();
    const stopped = await searchedFor(
      {
        budget: 3600,
        onFinding: ({ kind }) => {
          if (kind === 'tried') controller.abort(new Error('enough'));
        },
      },
      { signal: controller.signal },
    );
    const { tried, fp32 } = stopped;
    expect(stopped.end).toEqual({ kind: 'stopped' });
    const front = [{ figures: { ...fp32, loss: 0 } }, ...frontOf(stopped)];
    for (const { figures } of tried)
      expect(
        front.some(
          ({ figures: own }) =>
            own.milliseconds <= figures.milliseconds && own.peak <= figures.peak && own.loss <= figures.loss,
        ),
      ).toBe(true);

    let hasFailed = false;
    const failing: Device = {
      ...device,
      measure: (task, watch) => {
        if (hasFailed) throw new DeviceError('it went up in smoke');
        return device.measure(task, watch);
      },
    };
    const onFinding = ({ kind }: Finding): void => {
      hasFailed ||= kind === 'tried';
    };
    const failed = await searchedFor({ target: 'latency=1000x', onFinding }, { device: failing });
    expect(failed.end).toEqual({ kind: 'failed', message: 'it went up in smoke' });
    expect(verdictWords(failed).at(-1)).toContain('it went up in smoke');
    expect(failed.tried.length).toBeGreaterThan(0);
  }, 240_000);

  it('ends when it is told to', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = (): void => {
      controller.abort(reason);
    };
    await expect(searched('latency=2x', { signal: controller.signal, onProgress })).rejects.toBe(reason);
  });
});
