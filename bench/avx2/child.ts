import { readFile } from 'node:fs/promises';
import { hashJson } from '../../src/base/hash.js';
import { defined } from '../../src/base/defined.js';
import { defaultSessionOptions, type Engine, type Session, type Tensor } from '../../src/runtime/engine.js';
import { nodeEngine } from '../../src/runtime/node.js';
import { jobSchema, type Found, type Job } from './job.js';

const SIDE = 32;
const CHANNELS = 3;

const options = { ...defaultSessionOptions, spinning: false, threads: 1 };

async function perform({ images, batch, rounds, profiled, variants }: Job): Promise<Found[]> {
  const engine = await nodeEngine();
  const bytes = Uint8Array.from(await readFile(images));
  const opened: { variant: Job['variants'][number]; session: Session; pixels: Tensor; times: number[] }[] =
    [];
  for (const variant of variants) {
    const preprocess = await engine.open(variant.preprocess, options);
    const pixels = await only(preprocess, engine.tensor('uint8', bytes, [batch, CHANNELS, SIDE, SIDE]));
    const session = await engine.open(variant.model, { ...options, x64QuantPrecision: variant.precise });
    opened.push({ variant, session, pixels, times: [] });
  }
  const logits = new Map<object, string>();
  for (const { variant, session, pixels } of opened) {
    const { data } = await only(session, pixels);
    logits.set(variant, hashJson([...(data as Float32Array)]));
  }
  for (let round = 0; round < rounds; round++)
    for (const { session, pixels, times } of round % 2 === 0 ? opened : opened.toReversed()) {
      const before = process.cpuUsage();
      await only(session, pixels);
      const { user, system } = process.cpuUsage(before);
      times.push((user + system) / 1000);
    }
  const found: Found[] = [];
  for (const { variant, session, pixels, times } of opened) {
    await session.close();
    const operators = profiled > 0 ? await profile(engine, variant, pixels, profiled) : {};
    const { name, precise } = variant;
    found.push({ name, precise, logits: defined(logits.get(variant), name), times, operators });
  }
  return found;
}

/** What a model gives for its one input. */
async function only(session: Session, input: Tensor): Promise<Tensor> {
  const outputs = await session.run({ [defined(session.inputNames[0], 'an input')]: input });
  return defined(Object.values(outputs)[0], 'an output');
}

async function profile(
  engine: Engine,
  { model, precise }: Job['variants'][number],
  pixels: Tensor,
  runs: number,
): Promise<Record<string, number>> {
  const session = await engine.openProfiled(model, { ...options, x64QuantPrecision: precise });
  for (let run = 0; run < runs; run++) await only(session, pixels);
  const byNode = new Map<string, { opType: string; times: number[] }>();
  for (const { node, opType, milliseconds } of await session.calls()) {
    const known = byNode.get(node) ?? { opType, times: [] };
    known.times.push(milliseconds);
    byNode.set(node, known);
  }
  await session.close();
  const sums: Record<string, number> = {};
  for (const { opType, times } of byNode.values()) {
    const quartile = defined(times.sort((a, b) => a - b)[Math.floor(times.length / 4)], opType);
    sums[opType] = (sums[opType] ?? 0) + quartile;
  }
  return sums;
}

console.log(JSON.stringify(await perform(jobSchema.parse(JSON.parse(defined(process.argv[2], 'a job'))))));
process.exit(0);
