import { z } from 'zod';
import { DeviceError } from '../../base/errors.js';
import { quotaIn } from '../processors.js';
import type { Connection } from './connection.js';

/**
 * Tells what a board is and how it is, for a POSIX shell with nothing installed: one `key value…` a line, separated by tabs.
 * `$1` is the work folder, `$2` the Node to use.
 */
const PROBE = String.raw`
say() { key=$1; shift; printf '%s' "$key"; for each; do printf '\t%s' "$each"; done; printf '\n'; }
from() { head -c 400 "$1" 2>/dev/null | tr -d '\000' | tr '\n\t' '  '; }
say system "$(uname -s)" "$(uname -m)" "$(uname -r)"
say board "$(from /proc/device-tree/model)"
[ -r /etc/os-release ] && say distribution "$(. /etc/os-release; printf %.100s "$PRETTY_NAME")"
libc=$(getconf GNU_LIBC_VERSION 2>/dev/null | head -c 64 || true)
[ -n "$libc" ] || for each in /lib/*/libc.so.6 /lib64/libc.so.6; do
  [ -e "$each" ] && libc="glibc $("$each" 2>/dev/null | sed -n '1s/.*version \([0-9.]*[0-9]\).*/\1/p')" && break
done
[ -n "$libc" ] || for each in /lib/ld-musl-*; do [ -e "$each" ] && libc="musl"; done
say libc "$libc"
grep -E '^(processor|CPU implementer|CPU part|Features|model name)' /proc/cpuinfo 2>/dev/null | head -n 2000 | tr -d '\t' |
  while IFS= read -r line; do say cpuinfo "$line"; done
for each in /sys/devices/system/cpu/cpu[0-9]*; do
  [ -d "$each/cpufreq" ] && say frequency "$(basename "$each")" "$(from "$each/cpufreq/scaling_cur_freq")" \
    "$(from "$each/cpufreq/cpuinfo_max_freq")" "$(from "$each/cpufreq/scaling_governor")"
done
usable=$(nproc 2>/dev/null)
[ -n "$usable" ] && say usable "$usable"
group=$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null | head -n 1)
while :; do
  [ -r "/sys/fs/cgroup$group/cpu.max" ] && say quota "$(from "/sys/fs/cgroup$group/cpu.max")"
  case "$group" in */*) group=$(printf '%s' "$group" | sed 's,/[^/]*$,,') ;; *) break ;; esac
done
grep -E '^(MemTotal|MemAvailable):' /proc/meminfo | tr -d ':' | while read -r key value unit; do say memory "$key" "$value"; done
say load "$(from /proc/loadavg)"
folder=$1
while [ ! -d "$folder" ] && [ "$folder" != / ] && [ "$folder" != . ]; do folder=$(dirname -- "$folder"); done
say disk "$(df -Pk -- "$folder" 2>/dev/null | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4)" "$([ -w "$folder" ] && echo writable)" "$folder"
for each in /sys/class/thermal/thermal_zone*; do
  [ -r "$each/temp" ] && say thermal "$(from "$each/type")" "$(from "$each/temp")"
done
for each in /sys/class/thermal/cooling_device*; do
  [ -r "$each/cur_state" ] && say cooling "$(from "$each/type")" "$(from "$each/cur_state")"
done
command -v vcgencmd >/dev/null 2>&1 && say throttled "$(vcgencmd get_throttled 2>/dev/null | head -n 1)"
for each in sha256sum tar gzip cat mv ln df; do command -v "$each" >/dev/null 2>&1 || say missing "$each"; done
node=$(command -v -- "$2" 2>/dev/null || true)
[ -n "$node" ] && say node "$node" "$("$node" --version 2>&1 | head -n 1)"
exit 0
`;

/** So much is enough for a board with some hundred cores, */
const MAX_LINES = 20_000;

/** and no board has more cores than this. */
const MOST_CORES = 1024;

/** What the probe's lines say; what a board does not tell is left out. */
export interface BoardFacts {
  readonly system: string;
  /** As `uname -m` says it: `aarch64`. */
  readonly architecture: string;
  readonly kernel: string;
  /** Name of the board, from its device tree. */
  readonly board: string | undefined;
  readonly distribution: string | undefined;
  /** `glibc` with its version, or `musl`; undefined when neither is found. */
  readonly libc: { readonly name: 'glibc' | 'musl'; readonly version: string | undefined } | undefined;
  readonly cores: readonly Core[];
  /** Logical processors that a process there may use, and how many a control group pays for; undefined where it does not tell. */
  readonly usable: { readonly processors: number; readonly quota: number | null } | undefined;
  /** Of a whole board, in bytes. */
  readonly memoryBytes: number;
  readonly availableBytes: number;
  /** Processes that want a processor, averaged over a minute. */
  readonly load: number | undefined;
  readonly disk: {
    readonly freeBytes: number | undefined;
    readonly writable: boolean;
    readonly folder: string;
  };
  /** Of the hottest sensor, in degrees Celsius. */
  readonly temperature: number | undefined;
  /** What holds the processor back now, or has since the board started. */
  readonly throttling: { readonly now: readonly string[]; readonly before: readonly string[] };
  /** Programs that a run needs and the board has not. */
  readonly missing: readonly string[];
  readonly node: { readonly path: string; readonly version: string } | undefined;
}

/** One core. */
export interface Core {
  /** Implementer and part, as the kernel numbers them: `0x41 0xd0b`. */
  readonly part: string;
  readonly features: readonly string[];
  /** MHz. */
  readonly frequency: number | undefined;
  readonly maxFrequency: number | undefined;
  readonly governor: string | undefined;
}

const textSchema = z.string().max(512);

/**
 * Asks a board what it is.
 *
 * @param connection - to the board
 * @param folder - the work folder, whose disk is looked at
 * @param node - the Node that would be used
 * @throws DeviceError when it does not say
 */
export async function probe(connection: Connection, folder: string, node: string): Promise<BoardFacts> {
  const { code, stdout, stderr } = await connection.run(PROBE, [folder, node]);
  if (code !== 0) throw new DeviceError(`the board could not be described: ${stderr}`);
  return factsOf(stdout);
}

/**
 * Reads what the probe printed.
 *
 * @throws DeviceError when it is not what the probe prints
 */
export function factsOf(text: string): BoardFacts {
  const rows = text.split('\n', MAX_LINES).map((line) => line.split('\t').map((part) => plain(part)));
  const of = (key: string): string[][] => rows.filter((row) => row[0] === key).map((row) => row.slice(1));
  const first = (key: string): (string | undefined)[] => of(key)[0] ?? [];
  const [system, architecture, kernel] = first('system');
  if (!system || !architecture || !kernel)
    throw new DeviceError(`not a description of a board: ${text.slice(0, 120)}`);
  const memory = (key: string): number =>
    1024 * (numberOf(of('memory').find(([name]) => name === key)?.[1]) ?? 0);
  const [free, writable, folder] = first('disk');
  const freeKib = numberOf(free);
  const [path, version] = first('node');
  return {
    ...{ system, architecture, kernel },
    board: first('board')[0] || undefined,
    distribution: first('distribution')[0] || undefined,
    libc: libcOf(first('libc')[0]),
    cores: coresOf(of('cpuinfo'), of('frequency')),
    usable: usableOf(first('usable')[0], of('quota')),
    memoryBytes: memory('MemTotal'),
    availableBytes: memory('MemAvailable'),
    load: numberOf(first('load')[0]?.split(' ')[0]),
    disk: {
      freeBytes: freeKib === undefined ? undefined : freeKib * 1024,
      writable: writable === 'writable',
      folder: folder ?? '',
    },
    temperature: temperatureOf(of('thermal')),
    throttling: throttlingOf(first('throttled')[0], of('cooling')),
    missing: of('missing').flatMap(([name]) => name ?? []),
    node: path && version ? { path, version: version.replace(/^v/, '') } : undefined,
  };
}

/** A text of a board without what a terminal or a page could take for a command. */
function plain(part: string): string {
  return textSchema
    .parse(part.slice(0, 512))
    .replace(/\p{Cc}/gu, ' ')
    .trim();
}

function numberOf(text: string | undefined): number | undefined {
  const value = text === undefined || text === '' ? NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function libcOf(text: string | undefined): BoardFacts['libc'] {
  const [, name, version] = /^(glibc|musl) ?([\d.]*)/.exec(text ?? '') ?? [];
  return name === 'glibc' || name === 'musl' ? { name, version: version || undefined } : undefined;
}

function usableOf(processors: string | undefined, quotas: string[][]): BoardFacts['usable'] {
  const count = numberOf(processors);
  if (count === undefined || !Number.isInteger(count) || count < 1 || count > MOST_CORES) return undefined;
  const found = quotas.map(([text]) => quotaIn(text)).filter((quota) => quota !== undefined);
  return { processors: count, quota: found.length > 0 ? Math.min(...found) : null };
}

/** @throws DeviceError when there are more than any board has */
function coresOf(cpuinfo: string[][], frequencies: string[][]): Core[] {
  const frequencyOf = new Map(frequencies.map(([name, ...rest]) => [name, rest]));
  const cores: { implementer: string; part: string; features: string[]; id: string }[] = [];
  for (const [line = ''] of cpuinfo) {
    const [key = '', value = ''] = line.split(/\s*:\s*/, 2);
    if (key === 'processor') cores.push({ id: `cpu${value}`, implementer: '', part: '', features: [] });
    const core = cores.at(-1);
    if (core === undefined) continue;
    if (key === 'CPU implementer') core.implementer = value;
    if (key === 'CPU part') core.part = value;
    if (key === 'Features') core.features = value.split(' ');
  }
  if (cores.length > MOST_CORES)
    throw new DeviceError(`not a description of a board: it tells of ${cores.length} cores`);
  return cores.map(({ id, implementer, part, features }) => {
    const [now, max, governor] = frequencyOf.get(id) ?? [];
    const megahertz = (text: string | undefined): number | undefined => {
      const kilohertz = numberOf(text);
      return kilohertz === undefined ? undefined : kilohertz / 1000;
    };
    return {
      part: `${implementer} ${part}`.trim(),
      features,
      frequency: megahertz(now),
      maxFrequency: megahertz(max),
      governor: governor || undefined,
    };
  });
}

function temperatureOf(zones: string[][]): number | undefined {
  const degrees = zones.map(([, value]) => numberOf(value)).filter((value) => value !== undefined);
  return degrees.length === 0 ? undefined : Math.max(...degrees) / 1000;
}

/** Bits of the Raspberry Pi's firmware; 16 places further up: the same since the board started. */
const FIRMWARE_BITS = ['under-voltage', 'frequency capped', 'throttled', 'soft temperature limit'] as const;

function throttlingOf(firmware: string | undefined, cooling: string[][]): BoardFacts['throttling'] {
  const hex = /^throttled=0x([0-9a-f]{1,8})$/i.exec(firmware ?? '')?.[1];
  const bits = hex === undefined ? 0 : parseInt(hex, 16);
  const set = (from: number): string[] => FIRMWARE_BITS.filter((_, bit) => (bits >>> (from + bit)) & 1);
  // Fans cool, too; what holds the processor back is a cooling device of its own name.
  const held = cooling.filter(([type = '', state]) => /cpufreq|processor/i.test(type) && Number(state) > 0);
  return { now: [...set(0), ...held.map(([type = '']) => `${type} at work`)], before: set(16) };
}
