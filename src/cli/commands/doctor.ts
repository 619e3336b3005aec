import { Command } from 'commander';
import { checkMachine } from '../../library/devices.js';
import { exitCodes } from '../failure.js';
import { findingsText } from '../output/findings.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';

/** `edgeflex doctor`: what this machine can do. */
export function doctorCommand(): Command {
  const command = new Command('doctor')
    .option('--json', 'print the findings as JSON')
    .action(async ({ json }: { readonly json?: true }) => {
      const { places, works } = await checkMachine();
      if (json) printJson('doctor', places);
      else console.log(places.map(({ place, findings }) => findingsText(place, findings)).join('\n\n'));
      if (!works) process.exitCode = exitCodes.device;
    });
  return explained(command, {
    notes: [
      '✓ works   ! works, but may distort results or rule out some runs   ✗ does not work',
      `Exit code 3 if EdgeFlex itself, or this machine's CPU as a device, does not work. "edgeflex devices check <profile>" checks any other device.`,
    ],
    examples: ['edgeflex doctor', ['edgeflex doctor --json', 'for another program']],
  });
}
