import type { Finding } from '../kind.js';
import type { BoardFacts } from './probe.js';
import { clustersOf } from './processor.js';
import type { SshProfile } from './profile.js';

/** What the native runtime for boards was linked against; a test compares it with the installed file. */
export const LEAST_GLIBC = '2.28';

/** What the agent is written for. */
const LEAST_NODE = '20.0.0';

/** What a deployment takes: runtime, a Node that is brought, some models. */
const LEAST_FREE_BYTES = 300 * 1024 ** 2;

/** Node and ONNX Runtime with a small model. */
const LEAST_AVAILABLE_BYTES = 256 * 1024 ** 2;

/** Boards begin to slow down between 80 and 85 °C. */
const HOT = 75;

/** Features of a processor that decide which kernels run, and what each is good for. */
const FEATURES = [
  ['asimddp', 'dot products of 8-bit integers (dotprod)'],
  ['i8mm', 'matrix products of 8-bit integers (i8mm)'],
  ['asimdhp', 'arithmetic in float16 (fp16)'],
  ['bf16', 'matrix products in bfloat16 (bf16)'],
] as const;

/**
 * What a board offers, and what is to be mended. What fails makes a run impossible; a warning may spoil its figures.
 *
 * @param facts - what its probe said
 * @param profile - how it is to be used
 */
export function findingsOf(facts: BoardFacts, profile: SshProfile): Finding[] {
  return [
    architecture(facts),
    libc(facts),
    node(facts, profile),
    tools(facts),
    disk(facts),
    memory(facts),
    features(facts),
    cores(facts),
    governor(facts),
    temperature(facts),
    throttling(facts),
    load(facts),
  ];
}

function architecture({ system, architecture: found }: BoardFacts): Finding {
  const what = 'architecture';
  if (system === 'Linux' && /^(aarch64|arm64)$/.test(found)) return { what, state: 'ok', found };
  const fix = /^arm/.test(found)
    ? 'Boards need a 64-bit system: this one is 32-bit, though its processor may not be. Install a 64-bit image.'
    : 'Boards are 64-bit ARM machines with Linux. To measure another kind of machine, run edgeflex on it.';
  return { what, state: 'fail', found: `${system} ${found}`, fix };
}

function libc({ libc: found }: BoardFacts): Finding {
  const what = 'C library';
  if (found?.name === 'musl')
    return {
      ...{ what, state: 'fail', found: 'musl' },
      fix: 'ONNX Runtime needs glibc: use a distribution that has it, such as Debian, Ubuntu or Raspberry Pi OS.',
    };
  if (found?.version === undefined)
    return {
      what,
      state: 'warn',
      found: 'unknown',
      fix: `ONNX Runtime needs glibc ${LEAST_GLIBC} or newer.`,
    };
  const state = isAtLeast(found.version, LEAST_GLIBC) ? 'ok' : 'fail';
  const fix = `ONNX Runtime and Node need glibc ${LEAST_GLIBC} or newer: install a newer system (Debian 10, Ubuntu 20.04 and later have it).`;
  return { what, state, found: `glibc ${found.version}`, ...(state === 'ok' ? {} : { fix }) };
}

function node({ node: found }: BoardFacts, { node: wanted }: SshProfile): Finding {
  const what = 'Node';
  if (wanted === 'bring') return { what, state: 'ok', found: 'copied by EdgeFlex' };
  if (found !== undefined && isNewEnough(found.version))
    return { what, state: 'ok', found: `${found.version} (${found.path})` };
  const text = found === undefined ? 'none' : `${found.version} (${found.path})`;
  if (wanted === undefined) return { what, state: 'ok', found: `${text}; one will be copied there` };
  const fix = `Agents need Node ${LEAST_NODE} or newer: install it there, or leave "node" out of the profile, so that EdgeFlex copies one.`;
  return { what, state: 'fail', found: found === undefined ? `nothing at ${wanted}` : text, fix };
}

function tools({ missing }: BoardFacts): Finding {
  const what = 'tools';
  if (missing.length === 0) return { what, state: 'ok', found: 'all there' };
  const fix = 'They are in coreutils, tar and gzip (or busybox).';
  return { what, state: 'fail', found: `no ${missing.join(', no ')}`, fix };
}

function disk({ disk: { freeBytes, writable, folder } }: BoardFacts): Finding {
  const what = 'disk';
  const free = freeBytes === undefined ? 'free space unknown' : `${mebibytes(freeBytes)} free`;
  const found = `${free} at ${folder}`;
  if (!writable)
    return {
      what,
      state: 'fail',
      found: `${folder} cannot be written`,
      fix: 'Choose another folder in the profile.',
    };
  if (freeBytes !== undefined && freeBytes < LEAST_FREE_BYTES)
    return {
      what,
      state: 'warn',
      found,
      fix: `A run needs ${mebibytes(LEAST_FREE_BYTES)} in addition to its models: free some space.`,
    };
  return { what, state: 'ok', found };
}

function memory({ memoryBytes, availableBytes }: BoardFacts): Finding {
  const what = 'memory';
  const found = `${mebibytes(availableBytes)} of ${mebibytes(memoryBytes)} available`;
  if (availableBytes >= LEAST_AVAILABLE_BYTES) return { what, state: 'ok', found };
  return {
    what,
    state: 'warn',
    found,
    fix: 'Agents may be killed when memory runs out: stop other programs there.',
  };
}

function features(facts: BoardFacts): Finding {
  const what = 'processor features';
  const present = new Set(facts.cores.flatMap((core) => core.features));
  const has = FEATURES.filter(([flag]) => present.has(flag)).map(([, words]) => words);
  const found = has.length === 0 ? 'none of the relevant ones' : has.join(', ');
  if (present.has('asimddp')) return { what, state: 'ok', found };
  return {
    what,
    state: 'warn',
    found,
    fix: `Without ${FEATURES[0][1]} INT8 is hardly faster than float32, and weights in 8 and 4 bits are multiplied in float32; nothing can be done about it.`,
  };
}

function cores(facts: BoardFacts): Finding {
  const clusters = clustersOf(facts);
  const found = clusters
    .map(({ name, cores: of, maxFrequency }) =>
      [
        `${of.length}× ${name}`,
        maxFrequency === undefined ? '' : ` at up to ${Math.round(maxFrequency)} MHz`,
      ].join(''),
    )
    .join(', ');
  return { what: 'cores', state: clusters.length > 0 ? 'ok' : 'warn', found: found || 'unknown' };
}

function governor(facts: BoardFacts): Finding {
  const what = 'governor';
  const found = [...new Set(facts.cores.map((core) => core.governor).filter((each) => each !== undefined))];
  if (found.length === 0) return { what, state: 'ok', found: 'not reported by the board' };
  if (found.every((each) => each === 'performance')) return { what, state: 'ok', found: 'performance' };
  const fix =
    'Frequencies change while it measures. On the board: echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor';
  return { what, state: 'warn', found: found.join(', '), fix };
}

function temperature({ temperature: found }: BoardFacts): Finding {
  const what = 'temperature';
  if (found === undefined) return { what, state: 'ok', found: 'not reported by the board' };
  const text = `${found.toFixed(1)} °C`;
  if (found < HOT) return { what, state: 'ok', found: text };
  return {
    what,
    state: 'warn',
    found: text,
    fix: 'It will slow down: cool it, or let it rest with "coolDown" in the profile.',
  };
}

function throttling({ throttling: { now, before } }: BoardFacts): Finding {
  const what = 'throttling';
  if (now.length > 0)
    return {
      ...{ what, state: 'warn', found: `${now.join(', ')} now` },
      fix: now.includes('under-voltage')
        ? 'Use a stronger power supply and a short cable.'
        : 'Let it cool, or cool it better.',
    };
  if (before.length > 0)
    return {
      ...{ what, state: 'warn', found: `${before.join(', ')} since it was booted` },
      fix: 'It was throttled before and may be again: check the power supply and the cooling.',
    };
  return { what, state: 'ok', found: 'none' };
}

function load({ load: found, cores: of }: BoardFacts): Finding {
  const what = 'other load';
  if (found === undefined) return { what, state: 'ok', found: 'not reported by the board' };
  const text = `${found.toFixed(2)} of ${of.length} cores`;
  if (found < 0.5) return { what, state: 'ok', found: text };
  return {
    what,
    state: 'warn',
    found: text,
    fix: 'Another program is running there and will disturb the timings.',
  };
}

/** Whether a version of Node can run agents. */
export function isNewEnough(version: string): boolean {
  return isAtLeast(version, LEAST_NODE);
}

function isAtLeast(version: string, least: string): boolean {
  const [is, must] = [version, least].map((text) => text.split('.').map((part) => parseInt(part, 10))) as [
    number[],
    number[],
  ];
  for (const [index, wanted] of must.entries()) {
    const part = is[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
