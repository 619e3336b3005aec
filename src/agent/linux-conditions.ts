import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import type { Conditions } from '../protocol/conditions.js';
import { LinuxSensors } from './linux-sensors.js';

/** The kernel tells processor times in hundredths of a second (USER_HZ, proc(5)), whatever its own clock. */
const TICK_MILLISECONDS = 10;

/** In a shorter span the ticks are too coarse for a share: one of them would be more than a tenth of a core. */
const LEAST_SPAN_MILLISECONDS = 100;

/** Enough for the first line of /proc/stat, and for every file of one value. */
const SHORT_BYTES = 512;

/** So much of /proc/cpuinfo is read, and of so many policies the frequency: asking hundreds of cores would take long. */
const LONG_BYTES = 16384;
const MOST_POLICIES = 16;

/** Processor time since the machine and the process began, in milliseconds. */
interface Times {
  readonly at: number;
  readonly busy: number;
  readonly stolen: number;
  readonly own: number;
}

function timeOfThisProcess(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Looks at what a Linux machine is like, from its `/proc` and `/sys`. Files that are not there leave their fields out. What is
 * read again and again stays open and goes through one buffer, so that looking costs little time and leaves little garbage.
 */
export class LinuxConditions {
  private readonly buffer = Buffer.alloc(LONG_BYTES);
  private readonly stat: number | undefined;
  private readonly cpuinfo: number | undefined;
  private readonly frequencies: readonly number[];
  private readonly governor: number | undefined;
  private readonly sensors: LinuxSensors;
  private before: Times | undefined;

  /**
   * @param now - the agent's clock, in milliseconds
   * @param root - where `proc` and `sys` lie
   * @param ownTime - processor time of what is measured, which is no load of others, in milliseconds: of this process, unless told
   */
  constructor(
    private readonly now: () => number,
    private readonly root = '/',
    private readonly ownTime = timeOfThisProcess,
  ) {
    const policies = this.policies();
    this.stat = this.open('proc/stat');
    this.frequencies = policies
      .map((policy) => this.open(`${policy}/scaling_cur_freq`))
      .filter((file) => file !== undefined);
    this.cpuinfo = this.frequencies.length > 0 ? undefined : this.open('proc/cpuinfo');
    this.governor = policies.map((policy) => this.open(`${policy}/scaling_governor`))[0];
    this.sensors = new LinuxSensors(now, root);
    this.before = this.times();
  }

  /** What the machine is like now; loads are shares of one core since the last look, the first time since the beginning. */
  look(): Conditions {
    return {
      at: this.now(),
      ...this.loads(),
      ...this.speeds(),
      ...this.governorNow(),
      ...this.sensors.look(),
    };
  }

  /** Closes what is open. */
  close(): void {
    for (const file of [this.stat, this.cpuinfo, this.governor, ...this.frequencies])
      if (file !== undefined) closeSync(file);
  }

  private loads(): Pick<Conditions, 'otherLoad' | 'stolen'> {
    const times = this.times();
    const before = this.before;
    if (times === undefined || before === undefined) return {};
    const span = times.at - before.at;
    if (span < LEAST_SPAN_MILLISECONDS) return {};
    this.before = times;
    const share = (milliseconds: number): number => Math.max(0, milliseconds / span);
    return {
      otherLoad: share(times.busy - before.busy - (times.own - before.own)),
      stolen: share(times.stolen - before.stolen),
    };
  }

  /** `cpu user nice system idle iowait irq softirq steal …`; guests are counted among user (proc(5)). */
  private times(): Times | undefined {
    const text = this.read(this.stat);
    const times = /^cpu +([\d ]+)/.exec(text ?? '')?.[1];
    if (times === undefined) return undefined;
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = times
      .split(' ')
      .map(Number);
    return {
      at: this.now(),
      busy: (user + nice + system + irq + softirq) * TICK_MILLISECONDS,
      stolen: steal * TICK_MILLISECONDS,
      own: this.ownTime(),
    };
  }

  /** In MHz: from the frequency driver where there is one, else as the processor's description has it (x86). */
  private speeds(): Pick<Conditions, 'slowestCore' | 'fastestCore'> {
    const driven = this.frequencies.map((file) => Number(this.read(file)) / 1000);
    const described = this.read(this.cpuinfo, LONG_BYTES)?.matchAll(/^cpu MHz\s*: ([\d.]+)$/gm) ?? [];
    const megahertz = [...driven, ...Array.from(described, (match) => Number(match[1]))].filter(
      (each) => each > 0,
    );
    if (megahertz.length === 0) return {};
    return { slowestCore: Math.min(...megahertz), fastestCore: Math.max(...megahertz) };
  }

  private governorNow(): Pick<Conditions, 'governor'> {
    const governor = this.read(this.governor)?.trim();
    return governor ? { governor } : {};
  }

  /** Folders of the frequency policies: one for each cluster of cores, or for each core. */
  private policies(): string[] {
    const folder = 'sys/devices/system/cpu/cpufreq';
    try {
      return readdirSync(this.root + folder)
        .filter((name) => /^policy\d+$/.test(name))
        .slice(0, MOST_POLICIES)
        .map((name) => `${folder}/${name}`);
    } catch {
      return [];
    }
  }

  private open(path: string): number | undefined {
    try {
      return openSync(this.root + path, 'r');
    } catch {
      return undefined;
    }
  }

  private read(file: number | undefined, bytes = SHORT_BYTES): string | undefined {
    if (file === undefined) return undefined;
    try {
      return this.buffer.toString('latin1', 0, readSync(file, this.buffer, 0, bytes, 0));
    } catch {
      return undefined;
    }
  }
}
