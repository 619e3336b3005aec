import { Command } from 'commander';
import { installedVersion } from '../base/paths.js';
import { commands, type CommandEntry } from './commands.js';
import { exitCodes, reportFailure } from './failure.js';
import { globalOptions } from './global.js';
import { explained, helpItem, helpWidth, type MoreHelp } from './help.js';
import { setQuiet, showsColour } from './output/screen.js';
import { watchStreams } from './output/streams.js';

const startHelp: MoreHelp = {
  notes: [
    `Exit codes:
  0  success                        3    a device or a cell failed, or the disk is full
  1  a gate failed                  70   a bug in edgeflex
  2  bad usage or bad input         130  stopped by Ctrl-C, 143 by SIGTERM`,
    `Environment:
  EDGEFLEX_DATA         folder of the images, like --data
  EDGEFLEX_DB           results database on a PostgreSQL server, like --db
  EDGEFLEX_CACHE        folder for compressed models and downloads
  EDGEFLEX_CACHE_LIMIT  maximum size of that folder, such as 8GiB
  NO_COLOR              turns colours off; FORCE_COLOR turns them on everywhere`,
  ],
  examples: [
    ['edgeflex run quickstart', 'a small built-in model and images; takes two minutes'],
    ['edgeflex init', 'create a suite with your own model and images'],
    ['edgeflex data fetch cifar10', 'download the CIFAR-10 images once'],
    ['edgeflex run cifar10', 'the full benchmark'],
    ['edgeflex report --open', "open the newest run's report in the browser"],
    [
      'edgeflex compare 20261122 --fail-on latency:2%',
      'compare the newest run with another and fail on a regression',
    ],
    ['edgeflex devices check raspberry-pi-5', 'check whether a board is ready'],
    [
      'edgeflex procure --max-latency 30ms@p90 --min-accuracy 80%',
      'find out which device and variant to buy',
    ],
    ['edgeflex calibrate local-cpu', 'find the smallest difference this machine can detect'],
    ['edgeflex roofline local-cpu', 'measure the peak performance of this machine'],
    'edgeflex compress vit-base --recipe edgeflex --dataset cifar10 -o out/',
  ],
};

/**
 * The command line.
 *
 * @param argv - as Node gives it, interpreter and script first
 */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('edgeflex')
    .description(
      'Compress Vision Transformers and measure what that gains on real hardware: peak memory, batch latency, accuracy.',
    )
    .version(installedVersion())
    .configureHelp({
      showGlobalOptions: true,
      formatItem: (term, column, description, help) =>
        helpItem(term, column, description, help.helpWidth ?? helpWidth()),
    })
    .configureOutput({ getOutHelpWidth: helpWidth, getOutHasColors: showsColour })
    .hook('preAction', () => {
      setQuiet(program.opts()['quiet'] === true);
    })
    .showHelpAfterError('(see --help)')
    .exitOverride();
  for (const option of globalOptions()) program.addOption(option);
  explained(program, startHelp);
  const streams = watchStreams();
  const failed = (error: unknown): number => reportFailure(error, program.opts()['verbose'] === true);
  // What nobody waits for fails, too; Node's own code for it is 1, which says that a gate failed.
  const outside = (error: unknown): void => {
    process.exit(failed(error));
  };
  process.on('uncaughtException', outside).on('unhandledRejection', outside);
  // Whatever ends the process before the command has ended is a fault of ours.
  process.exitCode = exitCodes.internal;
  const named = commandOf(argv);
  for (const entry of commands)
    adopt(program, entry === named ? await loaded(program, entry) : listed(entry));
  try {
    await program.parseAsync([...argv]);
    if (process.exitCode === exitCodes.internal) process.exitCode = exitCodes.fine;
  } catch (error) {
    process.exitCode = failed(error);
  }
  await streams.settled().catch((error: unknown) => {
    process.exitCode = failed(error);
  });
}

/**
 * The command that is asked for, also by `help <command>`. Only its code is loaded: all of it together takes longer to load than
 * most commands to run.
 */
function commandOf(argv: readonly string[]): CommandEntry | undefined {
  const [first, second] = argv.slice(2).filter((word) => !word.startsWith('-'));
  const name = first === 'help' ? second : first;
  return commands.find((entry) => entry.name === name);
}

/**
 * A command with all of its code. Its options may be of what plug-ins bring; what is wrong with settings or plug-ins is told when it is
 * run.
 */
async function loaded(program: Command, entry: CommandEntry): Promise<Command> {
  if (entry.withoutPlugins) return (await entry.load()).description(entry.description);
  const { configure } = await import('./settings.js');
  const { choosePlace } = await import('./options/results.js');
  const configured = configure(process.cwd());
  await configured.catch(() => undefined);
  program.hook('preAction', async (_, command) => {
    (await configured).apply(command);
    choosePlace(command);
  });
  return (await entry.load()).description(entry.description);
}

/** A command as the list of all commands shows it. */
function listed({ name, description }: CommandEntry): Command {
  return new Command(name).description(description);
}

/** Adds a command that behaves like its parent on errors. */
function adopt(parent: Command, command: Command): void {
  parent.addCommand(command.copyInheritedSettings(parent));
  for (const child of command.commands) child.copyInheritedSettings(command);
}
