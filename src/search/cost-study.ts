import { join } from 'node:path';
import { defined } from '../base/defined.js';
import { writeModel } from '../onnx/file.js';
import type { Probed } from '../run/probe.js';
import { buildGraph } from '../vit/graph/model.js';
import type { ViT } from '../vit/vit.js';
import type { Clock } from './clock.js';
import { fitDevice, undisturbedCost, type Cost, type DeviceModel, type Load } from './device-model.js';
import { turnsOf, type Effort, type SearchContext } from './effort.js';
import { joined, measureInTurn, type Rounds } from './measure.js';
import { PROBES_END } from './phases.js';
import { probeSettings } from './probes.js';
import { shapeOf } from './settings.js';
import { zip } from './zip.js';

/** Where predictions err by more than this share of the time, probes get further rounds, but no more than so many. */
const GOOD_FIT = 0.06;
const MOST_FURTHER_ROUNDS = 4;

/** Learns what each kind of work costs on the device: from probes first, from recipes later. */
export class CostStudy {
  /** What the device is fitted to. */
  private readonly observed: { readonly load: Load; readonly cost: Cost }[] = [];

  /**
   * Begins without any observation.
   *
   * @param vit - the model as it was trained
   * @param batch - images
   */
  constructor(
    private readonly vit: ViT,
    private readonly batch: number,
  ) {}

  /** How many models were observed. */
  get models(): number {
    return this.observed.length;
  }

  /** What was observed so far says. */
  fit(): DeviceModel {
    return fitDevice(this.observed);
  }

  /** Takes what something costs. */
  learn(load: Load, cost: Cost): void {
    this.observed.push({ load, cost });
  }

  /**
   * Measures models that tell what each kind of work costs.
   *
   * @param context - device and progress
   * @param effort - rounds and seconds
   * @param clock - ends further rounds
   * @param folder - for the models' files
   * @returns what the model takes as it was trained
   * @throws DeviceError when the device fails; the signal's reason when it fires
   */
  async probe(context: SearchContext, effort: Effort, clock: Clock, folder: string): Promise<Cost> {
    const { vit, batch } = this;
    const items: Probed[] = [];
    const loads: Load[] = [];
    for (const [index, settings] of probeSettings(vit.config, batch).entries()) {
      const shape = shapeOf(vit, settings);
      const path = join(folder, `${index}.onnx`);
      await writeModel(buildGraph(shape), path);
      const { microBatch } = settings;
      items.push({ model: path, config: shape.config, batch, microBatch });
      loads.push({ shape, batch, microBatch });
    }
    const known: Rounds[] = [];
    const end = effort.probeRounds + MOST_FURTHER_ROUNDS;
    for (let round = 0; round < end; round++) {
      const measured = await measureInTurn(items, {
        ...turnsOf(context, 1, effort.seconds / 2, round),
        onProgress: (done) => {
          const share = Math.min(1, (round + done) / effort.probeRounds);
          const again = round < effort.probeRounds ? '' : ' once more: the model of it does not fit well';
          context.onProgress(
            PROBES_END * share,
            `measuring what each kind of work costs on the device${again}`,
          );
        },
      });
      for (const [index, each] of measured.entries()) known[index] = joined(known[index], each, round);
      this.observed.splice(
        0,
        Infinity,
        ...zip(loads, known).map(([load, rounds]) => ({ load, cost: undisturbedCost(rounds) })),
      );
      // Other work on the device spoils some queries of some rounds, seldom all of all.
      const isEnough =
        this.fit().latency.typicalError < GOOD_FIT || clock.shareOf(clock.taken()) > PROBES_END;
      if (round + 1 >= effort.probeRounds && isEnough) break;
    }
    return defined(this.observed[0], 'the cost of fp32').cost;
  }
}
