import { armForms } from './arm-forms.js';
import { avx2Kernels } from './avx2-kernels.js';
import { blockByBlock } from './block-by-block.js';
import { coverage } from './coverage.js';
import { falseAlarms } from './false-alarms.js';
import { firstSample } from './first-sample.js';
import { gateBench } from './gate.js';
import { graphForms } from './graph-forms.js';
import { harnessCost } from './harness-cost.js';
import { lastBlock } from './last-block.js';
import { measure } from './measure.js';
import { memoryLevers } from './memory-levers.js';
import { pruning } from './pruning.js';
import { pruningReport } from './pruning-report.js';
import { saturation } from './saturation.js';
import { slowDown } from './slow-down.js';
import { tokenMerging } from './token-merging.js';

/** Measurements of EdgeFlex itself: ratios within one run, because machines differ and drift. */
const benches: Readonly<Record<string, () => Promise<void>>> = {
  'graph-forms': graphForms,
  'token-merging': tokenMerging,
  'last-block': lastBlock,
  'memory-levers': memoryLevers,
  'block-by-block': blockByBlock,
  'harness-cost': harnessCost,
  'first-sample': firstSample,
  'slow-down': slowDown,
  'false-alarms': falseAlarms,
  gate: gateBench,
  coverage,
  measure,
  pruning,
  'pruning-report': pruningReport,
  saturation,
  'avx2-kernels': avx2Kernels,
  'arm-forms': armForms,
};

const names = process.argv.slice(2);
const unknown = names.find((name) => !Object.hasOwn(benches, name));
if (unknown !== undefined) {
  console.error(`error: no measurement is called ${unknown}; there are ${Object.keys(benches).join(', ')}`);
  process.exitCode = 2;
} else {
  for (const [name, bench] of Object.entries(benches)) {
    if (names.length > 0 && !names.includes(name)) continue;
    console.log(`\n${name}`);
    await bench();
  }
}
