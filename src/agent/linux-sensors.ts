import { readdirSync, readFileSync } from 'node:fs';
import type { Conditions } from '../protocol/conditions.js';
import { FirmwareProgram, heldBack } from './firmware.js';

/** Of each kind of sensor so many are read: boards have a handful. */
const MOST_SENSORS = 16;

/** Over a shorter span a counter of energy has too few steps for a power. */
const LEAST_SPAN_MILLISECONDS = 100;

/**
 * Reads a Linux machine's sensors: how warm it is, what holds its processor back, what power it takes. Files that are not
 * there, or may not be read, leave their fields out.
 */
export class LinuxSensors {
  private readonly temperatures: readonly string[];
  private readonly coolers: readonly { readonly name: string; readonly path: string }[];
  private readonly firmware: readonly string[];
  /** Asked where no file of the kernel tells. */
  private readonly program: FirmwareProgram | undefined;
  private readonly powers: readonly string[];
  private readonly energies: readonly string[];
  private before: { readonly at: number; readonly microjoules: number } | undefined;

  /**
   * @param now - the agent's clock, in milliseconds
   * @param root - where `sys` lies
   * @param path - where programs lie
   */
  constructor(
    private readonly now: () => number,
    private readonly root = '/',
    path = process.env['PATH'] ?? '',
  ) {
    const thermal = 'sys/class/thermal';
    this.temperatures = this.under(thermal, /^thermal_zone\d+$/).map((zone) => `${zone}/temp`);
    // Fans are cooling devices, too; what holds the processor back has its name.
    this.coolers = this.under(thermal, /^cooling_device\d+$/).flatMap((path) => {
      const name = this.read(`${path}/type`)?.trim() ?? '';
      return /cpufreq|processor/i.test(name) ? [{ name: name.slice(0, 40), path: `${path}/cur_state` }] : [];
    });
    this.firmware = this.under('sys/devices/platform', /^soc/)
      .flatMap((soc) => this.under(soc, /:firmware$/))
      .map((folder) => `${folder}/get_throttled`);
    this.program = this.firmware.length > 0 ? undefined : new FirmwareProgram(path);
    // INA219 and its like, between the supply and the board.
    this.powers = this.under('sys/class/hwmon', /^hwmon\d+$/).flatMap((chip) =>
      this.under(chip, /^power\d+_input$/),
    );
    // A whole package (RAPL) only: its parts are in it.
    this.energies = this.under('sys/class/powercap', /^[a-z-]+:\d+$/).map((zone) => `${zone}/energy_uj`);
    this.before = this.energy();
  }

  /** What the sensors say now; power from a counter of energy is the mean since the last look. */
  look(): Pick<Conditions, 'temperature' | 'throttling' | 'watts'> {
    const degrees = this.numbers(this.temperatures);
    const watts = this.watts();
    const throttling = this.throttling();
    return {
      ...(degrees.length > 0 && { temperature: Math.max(...degrees) / 1000 }),
      ...(throttling && { throttling }),
      ...(watts !== undefined && { watts }),
    };
  }

  private throttling(): string[] | undefined {
    const file = this.firmware.map((path) => this.read(path)).find((each) => each);
    const firmware = file === undefined ? this.program?.ask() : heldBack(file);
    if (firmware === undefined && this.coolers.length === 0) return undefined;
    const held = this.coolers.filter(({ path }) => Number(this.read(path)) > 0);
    return [...(firmware ?? []), ...new Set(held.map(({ name }) => `${name} at work`))].slice(0, 16);
  }

  private watts(): number | undefined {
    const powers = this.numbers(this.powers);
    if (powers.length > 0) return powers.reduce((sum, each) => sum + each, 0) / 1e6;
    const energy = this.energy();
    const { before } = this;
    if (energy === undefined || before === undefined) return undefined;
    const span = energy.at - before.at;
    if (span < LEAST_SPAN_MILLISECONDS) return undefined;
    this.before = energy;
    // A counter that began again tells nothing of this span.
    if (energy.microjoules < before.microjoules) return undefined;
    return (energy.microjoules - before.microjoules) / (span * 1000);
  }

  private energy(): { readonly at: number; readonly microjoules: number } | undefined {
    const counters = this.numbers(this.energies);
    if (counters.length === 0) return undefined;
    return { at: this.now(), microjoules: counters.reduce((sum, each) => sum + each, 0) };
  }

  private numbers(paths: readonly string[]): number[] {
    return paths
      .map((path) => this.read(path))
      .filter((text) => text !== undefined && text.trim() !== '')
      .map(Number)
      .filter((value) => Number.isFinite(value) && value >= 0);
  }

  private under(folder: string, name: RegExp): string[] {
    try {
      return readdirSync(this.root + folder)
        .filter((each) => name.test(each))
        .slice(0, MOST_SENSORS)
        .map((each) => `${folder}/${each}`);
    } catch {
      return [];
    }
  }

  private read(path: string): string | undefined {
    try {
      return readFileSync(this.root + path, 'latin1');
    } catch {
      return undefined;
    }
  }
}
