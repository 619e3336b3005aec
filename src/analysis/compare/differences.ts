import type { StoredDevice, StoredRun } from '../../store/read.js';
import { isBaseline } from '../../suite/baseline.js';
import { deviceSetting, settingDifferences } from '../setting.js';

/** Something that is not the same in two runs. */
export interface Difference {
  /** What it is, and of which device or model. */
  readonly what: string;
  readonly reference: string;
  readonly value: string;
}

/** What differs between two runs: what makes their figures incomparable, and what a reader should know. */
export interface Differences {
  readonly serious: readonly Difference[];
  readonly harmless: readonly Difference[];
}

/** Memory sizes closer than this are of the same machine: the kernel's own share varies. */
const MEMORY_TOLERANCE = 0.05;

/** A fact of both runs, in words; the two are compared as they are. */
type Fact = readonly [what: string, reference: string, value: string];

/**
 * What differs between the devices, models and images that two runs have in common.
 *
 * @param reference - the run that is compared with
 * @param run - the other
 */
export function differencesOf(reference: StoredRun, run: StoredRun): Differences {
  const serious: Fact[] = [['images', imagesOf(reference), imagesOf(run)], ...modelFacts(reference, run)];
  const harmless: Fact[] = [
    ['suite', reference.row.suite, run.row.suite],
    ['seed', String(reference.row.seed), String(run.row.seed)],
    ['EdgeFlex', reference.row.version, run.row.version],
  ];
  for (const device of run.devices) {
    const other = reference.devices.find(({ row }) => row.name === device.row.name);
    if (other === undefined) continue;
    const named = ([what, ...values]: Fact): Fact => [`${what} of ${device.row.name}`, ...values];
    serious.push(...machineFacts(reference, run, other, device).map(named));
    harmless.push(
      ...systemFacts(other, device).map(named),
      ...scenarioFacts(reference, run, other, device).map(named),
    );
  }
  return { serious: differing(serious), harmless: differing(harmless) };
}

function differing(facts: readonly Fact[]): Difference[] {
  return facts
    .filter(([, reference, value]) => reference !== value)
    .map(([what, reference, value]) => ({ what, reference, value }));
}

function imagesOf({ data }: StoredRun): string {
  return `${data.name}, ${data.testImages} test images (${data.hash.slice(0, 12)})`;
}

/** Of the models in both runs: what their weights are, and how large they are before anything is done to them. */
function modelFacts(reference: StoredRun, run: StoredRun): Fact[] {
  return run.variants
    .filter(({ recipe }) => isBaseline(recipe))
    .flatMap((variant): Fact[] => {
      const other = reference.variants.find(
        ({ model, recipe }) => model === variant.model && recipe === variant.recipe,
      );
      if (other === undefined) return [];
      const weights = ({ synthetic }: typeof variant): string => (synthetic ? 'synthetic' : 'trained');
      const size = ({ parameters }: typeof variant): string => String(parameters);
      return [
        [`weights of ${variant.model}`, weights(other), weights(variant)],
        [`parameters of ${variant.model}`, size(other), size(variant)],
      ];
    });
}

/** What a device is and what runs the models on it: another processor is another machine. */
function machineFacts(
  before: StoredRun,
  run: StoredRun,
  reference: StoredDevice,
  device: StoredDevice,
): Fact[] {
  const facts = settingDifferences(deviceSetting(reference, before), deviceSetting(device, run)).map(
    (each): Fact => [each.name, each.before || 'none', each.after || 'none'],
  );
  const [then, now] = [reference.environment, device.environment];
  if (!sameMemory(then.memoryBytes, now.memoryBytes))
    facts.push(['memory', mebibytes(then.memoryBytes), mebibytes(now.memoryBytes)]);
  return facts;
}

function commitText(git: StoredDevice['environment']['git']): string {
  if (git === null) return 'none';
  return 'untold' in git ? 'unknown' : `${git.commit.slice(0, 12)}${git.dirty ? ' with changes' : ''}`;
}

/** What may change on a machine without another one in its place. */
function systemFacts(reference: StoredDevice, device: StoredDevice): Fact[] {
  const [then, now] = [reference.environment, device.environment];
  const fact = (what: string, of: (environment: typeof now) => string): Fact => [what, of(then), of(now)];
  const facts = [
    fact('system', ({ os }) => `${os.distribution} ${os.release}`),
    fact('kernel', ({ os }) => os.kernel),
    fact('Node', ({ node }) => node),
    fact('highest frequency', ({ cpu }) =>
      cpu.maxFrequency === null ? 'unknown' : `${cpu.maxFrequency} MHz`,
    ),
    fact('commit', ({ git }) => commitText(git)),
  ];
  if (sameMemory(then.memoryBytes, now.memoryBytes))
    facts.push(fact('memory', ({ memoryBytes }) => mebibytes(memoryBytes)));
  return facts;
}

/** How carefully each run timed its cells. */
function scenarioFacts(
  before: StoredRun,
  run: StoredRun,
  reference: StoredDevice,
  device: StoredDevice,
): Fact[] {
  const words = ({ cells }: StoredRun, own: StoredDevice): string => {
    const timed = cells.filter((cell) => cell.device === own && cell.row.kind === 'performance');
    const tiers = timed.map(({ row }) => `${row.tier ?? 'unknown'}, ${row.rounds} rounds`);
    return [...new Set(tiers)].sort().join(' and ');
  };
  return [['tier', words(before, reference), words(run, device)]];
}

function sameMemory(then: number | null, now: number | null): boolean {
  if (then === null || now === null) return then === now;
  return Math.abs(now / then - 1) <= MEMORY_TOLERANCE;
}

function mebibytes(bytes: number | null): string {
  return bytes === null ? 'unknown' : `${Math.round(bytes / 1024 ** 2)} MiB`;
}
