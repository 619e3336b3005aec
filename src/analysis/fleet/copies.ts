import { median } from 'simple-statistics';
import type { StoredCell, StoredDevice, StoredRun } from '../../store/read.js';
import { samplesByRound } from '../figures/latency.js';
import { soundnessOf } from '../figures/soundness.js';
import { deviceLabel, isEmulated, recipeLabel } from '../label.js';
import { storedProfileOf } from '../sessions.js';
import { deviceSetting, type Setting } from '../setting.js';

/** Facts that may differ between copies of one board, and may be why one of them is slower: they do not say that it is another board. */
const MAY_DIFFER: ReadonlySet<string> = new Set(['frequency governor', 'usable processors']);

const GIBIBYTE = 2 ** 30;

/** A board as one run saw it. */
export interface SeenBoard {
  /** Name of the one device. */
  readonly name: string;
  readonly label: string;
  readonly emulated: boolean;
  readonly runId: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** What makes it a board of a kind: processor, memory, system, runtime and how it is used. Copies agree in all of it. */
  readonly kind: Setting;
  /** What copies may differ in. */
  readonly state: Setting;
  readonly timings: readonly SeenTiming[];
}

/** What a run timed of a variant on a board. */
export interface SeenTiming {
  readonly model: string;
  readonly recipe: string;
  /** What was measured: the same only for the same weights, recipe and code that made it. */
  readonly artifact: string;
  readonly batch: number;
  /** Natural logarithm of the median latency in milliseconds, of each round that counts. */
  readonly logs: readonly number[];
}

/**
 * What a run saw of its boards: what they are, and how fast variants were on them. Cells whose latency others disturbed are left out.
 *
 * @param run - as it is stored
 */
export function boardsIn(run: StoredRun): SeenBoard[] {
  return run.devices.map((device) => {
    const setting = deviceSetting(device, run);
    return {
      ...{ name: device.row.name, label: deviceLabel(device), emulated: isEmulated(device) },
      ...{ runId: run.row.id, startedAt: run.row.started_at },
      kind: new Map([...boardFacts(device), ...[...setting].filter(([name]) => !MAY_DIFFER.has(name))]),
      state: new Map([...stateFacts(device), ...[...setting].filter(([name]) => MAY_DIFFER.has(name))]),
      timings: run.cells.filter((cell) => cell.device === device).flatMap((cell) => timingOf(cell) ?? []),
    };
  });
}

/** The board as a shop sells it, and its memory: copies tell a few MiB more or less of the same chips. */
function boardFacts(device: StoredDevice): [string, string][] {
  const profile = storedProfileOf(device);
  const facts = typeof profile === 'object' && profile !== null ? profile : {};
  const { memoryBytes } = device.environment;
  return [
    ['kind of device', 'kind' in facts ? String(facts.kind) : 'unknown'],
    ['board', 'board' in facts ? String(facts.board) : 'not named'],
    ['memory', memoryBytes === null ? 'unknown' : `${Math.max(1, Math.round(memoryBytes / GIBIBYTE))} GiB`],
  ];
}

function stateFacts({ environment: { cpu, os, memoryBytes } }: StoredDevice): [string, string][] {
  return [
    ['highest frequency', cpu.maxFrequency === null ? 'unknown' : `${cpu.maxFrequency} MHz`],
    ['kernel', os.kernel],
    ['distribution', `${os.distribution} ${os.release}`.trim()],
    ['memory that it tells', memoryBytes === null ? 'unknown' : `${Math.round(memoryBytes / 2 ** 20)} MiB`],
  ];
}

function timingOf(cell: StoredCell): SeenTiming | undefined {
  const { kind, status, batch } = cell.row;
  if (kind !== 'performance' || status !== 'done' || !soundnessOf(cell).decides) return undefined;
  const medians = [...samplesByRound(cell).values()]
    .filter((samples) => samples.length > 0)
    .map((samples) => median([...samples]));
  // A clock too coarse for a query gives medians of nothing, which have no logarithm.
  if (medians.length === 0 || medians.some((each) => each <= 0)) return undefined;
  const { model, artifact } = cell.variant;
  return { model, recipe: recipeLabel(cell.variant), artifact, batch, logs: medians.map(Math.log) };
}
