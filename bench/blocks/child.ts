import { median } from 'simple-statistics';
import { z } from 'zod';
import { processMemory } from '../../src/agent/process-memory.js';
import { defined } from '../../src/base/defined.js';
import { defaultSessionOptions, type Session, type Tensor } from '../../src/runtime/engine.js';
import { nodeEngine } from '../../src/runtime/node.js';

const RUNS = 6;

/** A model in parts, each a file, and the dimensions of what the first reads. */
const jobSchema = z.object({ parts: z.array(z.string()).min(1), dims: z.array(z.number()) });

const { parts, dims } = jobSchema.parse(JSON.parse(defined(process.argv[2], 'a job')));
const engine = await nodeEngine();
const memory = processMemory();
memory.reset();
const peakNow = (): number => defined(memory.look().peakResident, 'the peak of the process');
const base = peakNow();

const run = async (session: Session, input: Tensor): Promise<Tensor> => {
  const outputs = await session.run({ [defined(session.inputNames[0], 'an input')]: input });
  return defined(Object.values(outputs)[0], 'an output');
};

const open = (path: string): Promise<Session> =>
  engine.open(path, { ...defaultSessionOptions, threads: 1, spinning: false });

const pixels = engine.tensor('float32', new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(0.1), dims);
const whole = parts.length === 1 ? await open(defined(parts[0], 'a part')) : undefined;
const times: number[] = [];
for (let round = 0; round < RUNS; round++) {
  const before = process.cpuUsage();
  if (whole !== undefined) await run(whole, pixels);
  else {
    let stream = pixels;
    for (const path of parts) {
      const session = await open(path);
      stream = await run(session, stream);
      await session.close();
    }
  }
  const { user, system } = process.cpuUsage(before);
  times.push((user + system) / 1000);
}
console.log(JSON.stringify({ milliseconds: median(times), peak: peakNow() - base }));
process.exit(0);
