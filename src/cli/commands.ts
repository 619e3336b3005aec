import type { Command } from 'commander';

/** A command of the command line, before its code is loaded. */
export interface CommandEntry {
  readonly name: string;
  /** One line for the list of all commands, and the first of its own help. */
  readonly description: string;
  /** Whether it has nothing to do with what plug-ins bring: they are not loaded for it then. */
  readonly withoutPlugins?: true;
  /** Loads the code of the command, and whatever it needs. */
  load(): Promise<Command>;
}

/** All commands, in the order in which the help shows them. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'run',
    description: 'compress, measure and report everything in a suite',
    load: async () => (await import('./commands/run.js')).runCommand(),
  },
  {
    name: 'submit',
    description: 'queue a suite for the workers of a fleet',
    load: async () => (await import('./commands/submit.js')).submitCommand(),
  },
  {
    name: 'worker',
    description: 'measure what others submit, on the devices of this machine',
    load: async () => (await import('./commands/worker.js')).workerCommand(),
  },
  {
    name: 'queue',
    description: 'list, show and cancel submitted jobs; list and drain workers',
    load: async () => (await import('./commands/queue.js')).queueCommand(),
  },
  {
    name: 'schedule',
    description: 'submit a suite at certain times, and tell regressions',
    load: async () => (await import('./commands/schedule.js')).scheduleCommand(),
  },
  {
    name: 'serve',
    description: 'serve a dashboard of runs, devices and the queue, and its JSON API',
    load: async () => (await import('./commands/serve.js')).serveCommand(),
  },
  {
    name: 'compress',
    description: 'apply a recipe to a model, or search for one that meets a target',
    load: async () => (await import('./commands/compress.js')).compressCommand(),
  },
  {
    name: 'init',
    description: 'create a suite, a recipe and a device profile to start from',
    load: async () => (await import('./commands/init.js')).initCommand(),
  },
  {
    name: 'doctor',
    description: 'check what this machine can do and how to fix what is missing',
    load: async () => (await import('./commands/doctor.js')).doctorCommand(),
  },
  {
    name: 'suites',
    description: 'list suites, or show one',
    load: async () => (await import('./commands/suites.js')).suitesCommand(),
  },
  {
    name: 'recipes',
    description: 'list recipes, or show one',
    load: async () => (await import('./commands/suites.js')).recipesCommand(),
  },
  {
    name: 'stages',
    description: 'list the stages available to recipes, or the options of one',
    load: async () => (await import('./commands/stages.js')).stagesCommand(),
  },
  {
    name: 'report',
    description: 'write the report of a stored run: HTML, Markdown, LaTeX, CSV, Parquet, JSON, and charts',
    load: async () => (await import('./commands/report.js')).reportCommand(),
  },
  {
    name: 'ablation',
    description:
      "estimate what each factor of a suite's matrix does: main effects, interactions, attribution",
    load: async () => (await import('./commands/ablation.js')).ablationCommand(),
  },
  {
    name: 'runs',
    description: 'list stored runs, newest first; delete old ones, copy runs between places',
    load: async () => (await import('./commands/runs.js')).runsCommand(),
  },
  {
    name: 'compare',
    description: 'compare two runs and check for regressions',
    load: async () => (await import('./commands/compare.js')).compareCommand(),
  },
  {
    name: 'gate',
    description: 'measure a commit and the one it comes from in turn, and check for regressions',
    load: async () => (await import('./commands/gate.js')).gateCommand(),
  },
  {
    name: 'bisect',
    description: 'find the first commit that breaks a gate, and how likely it is that one',
    load: async () => (await import('./commands/bisect.js')).bisectCommand(),
  },
  {
    name: 'comment',
    description: 'post a comparison on a pull or merge request, replacing the earlier comment',
    withoutPlugins: true,
    load: async () => (await import('./commands/comment.js')).commentCommand(),
  },
  {
    name: 'history',
    description: "track a suite's results over its runs: what changed, and in which commit",
    load: async () => (await import('./commands/history.js')).historyCommand(),
  },
  {
    name: 'query',
    description: 'query stored results in SQL: views for common questions, or any SELECT',
    withoutPlugins: true,
    load: async () => (await import('./commands/query.js')).queryCommand(),
  },
  {
    name: 'export',
    description: 'write stored runs as Parquet files for other programs',
    withoutPlugins: true,
    load: async () => (await import('./commands/export.js')).exportCommand(),
  },
  {
    name: 'site',
    description: 'write the history of every suite as a static site, with badges',
    load: async () => (await import('./commands/site.js')).siteCommand(),
  },
  {
    name: 'baseline',
    description: 'name runs to compare later ones with; "runs prune" never deletes them',
    load: async () => (await import('./commands/baseline.js')).baselineCommand(),
  },
  {
    name: 'calibrate',
    description: "measure a device's noise: one model against itself, interleaved, in fresh processes",
    load: async () => (await import('./commands/calibrate.js')).calibrateCommand(),
  },
  {
    name: 'roofline',
    description:
      'measure the peak performance of a device: matrix products in every precision, and memory bandwidth',
    load: async () => (await import('./commands/roofline.js')).rooflineCommand(),
  },
  {
    name: 'procure',
    description: 'rank the devices and variants that meet your constraints by cost and energy',
    load: async () => (await import('./commands/procure.js')).procureCommand(),
  },
  {
    name: 'devices',
    description: 'list, check, describe and clean up devices',
    load: async () => (await import('./commands/devices.js')).devicesCommand(),
  },
  {
    name: 'data',
    description: 'download the images a suite needs, or register your own',
    load: async () => (await import('./commands/data.js')).dataCommand(),
  },
  {
    name: 'store',
    description: 'check, back up and recover the results database',
    load: async () => (await import('./commands/store.js')).storeCommand(),
  },
  {
    name: 'cache',
    description: 'list, verify, prune and clear the cache',
    load: async () => (await import('./commands/cache.js')).cacheCommand(),
  },
  {
    name: 'completion',
    description: 'print the completion script for bash, zsh or fish',
    withoutPlugins: true,
    load: async () => (await import('./commands/completion.js')).completionCommand(),
  },
];
