import { Buffer } from 'node:buffer';
import { setTimeout as sleep } from 'node:timers/promises';

/** Classes of the built-in images. */
const CLASSES = 10;

const MEMORY = { resident: 100_000_000, peakResident: 120_000_000 };

/**
 * A plug-in with one kind of device: `x-simulated`, a board that there is not. It takes as long as it is told for every task, and answers as
 * an agent would: the same logits for the same image each time.
 *
 * @param {import('edgeflex').PluginApi} edgeflex
 */
export default function simulatedPlugin({ defineDevice, registerDevice, z }) {
  registerDevice(
    defineDevice({
      kind: 'x-simulated',
      description: 'A board that there is not, for campaigns of a whole fleet.',
      options: z.strictObject({
        seconds: z.number().nonnegative().default(1).describe('How long it takes for every measurement.'),
      }),
      open: (profile, { seconds }) =>
        Promise.resolve({
          profile,
          host: `simulated ${profile.name}`,
          environment,
          target: 'cpu',
          session: { threads: 1 },
          async measure(task, { onEvent, signal }) {
            signal.throwIfAborted();
            if (task.kind !== 'prepare') await sleep(1000 * seconds, undefined, { signal });
            for (const event of eventsOf(task)) onEvent(event);
          },
          close: () => Promise.resolve(),
        }),
    }),
  );
}

const environment = {
  cpu: {
    ...{ model: 'Simulated', features: ['simd'], physicalCores: 4, logicalCores: 4 },
    ...{ governor: null, maxFrequency: null },
  },
  ...{ memoryBytes: 8 * 2 ** 30, virtual: false, node: 'none', versions: {}, git: null },
  os: { platform: 'linux', distribution: 'none', release: '0', kernel: '0', arch: 'arm64' },
};

const phase = (name) => ({ event: 'phase', phase: name, milliseconds: 1, memory: MEMORY });

function eventsOf(task) {
  const runtime = { name: 'simulated', version: '1', provider: 'CPUExecutionProvider' };
  const session = { threads: 1, memoryPattern: true, arena: true, spinning: false };
  const first = [
    { event: 'started', runtime, platform: 'simulated', session, memoryMeans: null },
    phase('runtime'),
  ];
  const finished = { event: 'finished' };
  const timed = {
    event: 'latencies',
    milliseconds: Array.from({ length: 20 }, (_, index) => 5 + (index % 3) / 10),
  };
  switch (task.kind) {
    case 'prepare':
      return [...first, phase('prepare'), finished];
    case 'accuracy':
      return [
        ...first,
        phase('prepare'),
        phase('load'),
        phase('first'),
        timed,
        phase('steady'),
        logits(task.count),
        finished,
      ];
    case 'kernels': {
      const nodes = [
        { node: 'all', opType: 'Simulated', provider: runtime.provider, calls: 1, milliseconds: [5] },
      ];
      return [...first, phase('prepare'), phase('load'), { event: 'kernels', nodes }, finished];
    }
    case 'performance':
      return [
        ...[...first, phase('prepare'), phase('load'), phase('first')],
        ...[{ event: 'warmedUp', queries: 10, steady: true }, phase('warmup'), timed, phase('steady')],
        ...[logits(task.batch), finished],
      ];
    default:
      throw new Error(`a simulated board has no ${task.kind}`);
  }
}

/** Logits of the first images, in one message. */
function logits(images) {
  const values = new Float32Array(images * CLASSES);
  for (let image = 0; image < images; image++)
    for (let label = 0; label < CLASSES; label++)
      values[image * CLASSES + label] = label === (image * 7) % CLASSES ? 5 : label / 10;
  return {
    event: 'logits',
    first: 0,
    classes: CLASSES,
    values: Buffer.from(values.buffer).toString('base64'),
  };
}
