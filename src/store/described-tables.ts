import {
  bytes,
  flag,
  json,
  moment,
  orNull,
  real,
  text,
  whole,
  type ColumnDescription,
} from './description.js';
import type { Tables } from './tables.js';

/** A table for readers. */
interface TableDescription<Table> {
  readonly meaning: string;
  readonly columns: { readonly [Column in keyof Table]: ColumnDescription };
}

const runId = text('The run: `runs.id`.');
const roundId = whole('The round: `rounds.id`.');

/** Every table of the database with every column; the compiler says what is missing. Parents come before those that name them. */
export const describedTables: { readonly [Name in keyof Tables]: TableDescription<Tables[Name]> } = {
  runs: {
    meaning: 'One execution of a suite.',
    columns: {
      id: text('Its id, as `edgeflex runs` lists it.'),
      uid: text('Its global id: the same in every store that it is copied to.'),
      suite: text('Name of the suite.'),
      plan_hash: text('Hash of the plan, which `--resume` must find unchanged.'),
      seed: whole('Of the suite: order of the cells, calibration images.'),
      command: text('The command line.'),
      version: text('Version of EdgeFlex.'),
      started_at: moment('When it was started.'),
      ended_at: orNull(moment('When it ended; null until every cell is done, failed or not supported.')),
      data_json: json('The images: name, SHA-256, number of test images, class names.'),
      repository_json: orNull(
        json('Commit, branch and state of the working copy; null outside a repository.'),
      ),
      plugins_json: orNull(json('Plug-ins that took part; null in runs of older versions.')),
      gates_json: orNull(json('Gates of the suite; null in runs of older versions.')),
      plan_json: orNull(json('The plan that was hashed; null in runs of older versions.')),
      design_json: orNull(json("Factors of the suite's `matrix:` and their levels; null without one.")),
    },
  },
  devices: {
    meaning: 'A device of a run, as it was then.',
    columns: {
      id: whole('Primary key.'),
      run_id: runId,
      name: text('Name of the profile; emulators are marked.'),
      profile_json: json("The profile's file."),
      environment_json: json('Processor, memory, operating system, versions, adapter, browser.'),
      threads: whole('Threads of the runtime.'),
      takeovers_json: orNull(
        json(
          'Identical devices that went on in its place: each with its name, since when, and the rounds that there were.',
        ),
      ),
    },
  },
  variants: {
    meaning: 'A model × recipe of a run.',
    columns: {
      id: whole('Primary key.'),
      run_id: runId,
      position: whole('Place in the suite.'),
      model: text('Name of the model.'),
      recipe: text('Name of the recipe; `fp32` is the baseline.'),
      description: text('Of the recipe.'),
      synthetic: flag('Whether the weights are random, from a seed: then there is no accuracy.'),
      artifact: text('Hash of everything it was built from; empty if building failed.'),
      file_bytes: whole('File size in the form for CPUs; 0 if building failed.', 'bytes'),
      parameters: whole('Number of parameters; 0 if building failed.'),
      micro_batch: orNull(whole('Images run at once; null runs whole batches.')),
      stages_json: json('What the stages of the recipe did.'),
      published_json: orNull(json('Published figures for a comparable variant; null if there are none.')),
      card_json: orNull(json('Accuracy claimed by whoever trained the model; null if unknown.')),
      model_json: orNull(json('Where the model came from; null in runs of older versions.')),
      features_json: orNull(json('How a model without a head is scored; null for models with one.')),
    },
  },
  cells: {
    meaning: 'One variant on one device in one scenario: the unit that is measured and resumed.',
    columns: {
      id: whole('Primary key.'),
      run_id: runId,
      variant_id: whole('`variants.id`.'),
      device_id: whole('`devices.id`.'),
      kind: text('`accuracy`, `kernels`, `performance`, `server` or `offline`.'),
      batch: whole('Batch size.', 'images'),
      bound_ms: orNull(real("Bound of a server's p99 latency; null for other kinds.", 'ms')),
      tier: orNull(text('Measuring tier: `smoke`, `rapid`, `quick`, `normal`.')),
      rounds: whole('Number of rounds planned.'),
      status: text('`pending`, `done`, `failed` or `unsupported`.'),
      reason: orNull(text('Why it failed or is not supported: JSON, or plain text from older versions.')),
      stopping_json: orNull(json('Why no further rounds were measured; null if their number was fixed.')),
      form: orNull(
        text("How the device's form differs from the recipe: JSON or plain text; null if it does not."),
      ),
      file_bytes: orNull(whole("File size of the device's form; null if it is the variant's.", 'bytes')),
    },
  },
  rounds: {
    meaning: 'One fresh process (or page) of a cell.',
    columns: {
      id: whole('Primary key.'),
      cell_id: whole('`cells.id`.'),
      round: whole('Counts from 0; rounds with the same number were interleaved.'),
      position: whole("Position in the run's order."),
      started_at: moment('When it was started.'),
      seconds: real('Total duration.', 's'),
      runtime_json: orNull(json('Runtime, version and execution provider; null if it never started.')),
      session_json: orNull(json('Session options; null if the runtime never started.')),
      platform: orNull(
        text('Platform of the agent, such as `linux-x64`; null if the runtime never started.'),
      ),
      peak_is_of_phase: orNull(flag('Only from older versions: whether peaks are per phase.')),
      memory_means: orNull(
        text('How memory was measured; null if it was not, and in runs of older versions.'),
      ),
      warmup_queries: orNull(whole('Warm-up queries; null if nothing was timed.')),
      steady: orNull(flag('Whether the warm-up reached a steady state; null if nothing was timed.')),
      core_latency_before: orNull(
        real('Core-to-core latency of a cache line before the round; null if not measured.', 'ns'),
      ),
      core_latency_after: orNull(real('Core-to-core latency after the round; null if not measured.', 'ns')),
      repeats: orNull(
        whole('How often it was repeated because of disturbances; null in runs of older versions.'),
      ),
    },
  },
  phases: {
    meaning: 'Duration of each phase of a round.',
    columns: {
      round_id: roundId,
      phase: text('`runtime`, `prepare`, `load`, `first`, `warmup`, `steady` …'),
      milliseconds: real('Duration.', 'ms'),
      cpu_milliseconds: orNull(real('CPU time of the agent, all threads; null if not reported.', 'ms')),
    },
  },
  memory: {
    meaning: 'Memory by phase: one row for each figure the device reports.',
    columns: {
      round_id: roundId,
      phase: text('As in `phases`.'),
      figure: text('`resident`, `peakResident`, `groupPeak`, `gpuBuffers` …'),
      bytes: whole('Value of the figure.', 'bytes'),
    },
  },
  samples: {
    meaning: 'A timed query: raw latencies.',
    columns: {
      round_id: roundId,
      query: whole('Counts from 0.'),
      milliseconds: real('From inputs on the host to logits on the host.', 'ms'),
    },
  },
  trials: {
    meaning: 'Queries offered at one rate.',
    columns: {
      round_id: roundId,
      trial: whole('Counts from 0.'),
      rate: orNull(real('Arrival rate; null if all queries were available from the start.', 'queries/s')),
      planned: whole('Number of queries planned.'),
    },
  },
  served: {
    meaning: 'A query of a trial; times are relative to the start of the trial.',
    columns: {
      round_id: roundId,
      trial: whole('`trials.trial`.'),
      query: whole('Counts from 0.'),
      scheduled: real('Scheduled arrival.', 'ms'),
      started: real('Start.', 'ms'),
      ended: real('End.', 'ms'),
    },
  },
  predictions: {
    meaning: 'The class predicted for a test image.',
    columns: {
      round_id: roundId,
      image: whole('Index in the test set.'),
      label: whole("True class, an index into the run's class names."),
      predicted: whole('Predicted class; -1 for none.'),
    },
  },
  logits: {
    meaning: 'Logits of consecutive test images.',
    columns: {
      round_id: roundId,
      first: whole('Index of the first of them.'),
      classes: whole('Logits per image.'),
      data: bytes('float32, little-endian, image by image.'),
    },
  },
  embeddings: {
    meaning: 'Embeddings of consecutive test images, of a model without a head.',
    columns: {
      round_id: roundId,
      first: whole('Index of the first of them.'),
      width: whole('Numbers per image.'),
      data: bytes('float32, little-endian, image by image.'),
    },
  },
  cosines: {
    meaning: "Cosine similarity of a test image's embedding and fp32's on the same device.",
    columns: {
      round_id: roundId,
      image: whole('Index in the test set.'),
      cosine: real('−1 to 1.'),
    },
  },
  kernels: {
    meaning: 'Time per operator in one query, with the profiler on.',
    columns: {
      round_id: roundId,
      op_type: text("Operator that ran, after the runtime's fusions."),
      provider: text('Execution provider.'),
      calls: real('Calls per query.'),
      milliseconds: real('Time per query on the CPU.', 'ms'),
      gpu_milliseconds: orNull(real("Time per query by the GPU's own clock; null without one.", 'ms')),
    },
  },
  kernel_nodes: {
    meaning: 'Time per node of the model.',
    columns: {
      round_id: roundId,
      sequence: whole('Position in execution order.'),
      node: text('Its name.'),
      op_type: text("Operator that ran, after the runtime's fusions."),
      provider: text('Execution provider.'),
      calls: whole('Calls per query.'),
      times_json: json('Milliseconds in each query.'),
      gpu_times_json: orNull(json("The same by the GPU's own clock; null without one.")),
      work_json: orNull(json('Multiplications and bytes per query; null if unknown.')),
    },
  },
  conditions: {
    meaning: 'Condition of the device at a moment of a round.',
    columns: {
      round_id: roundId,
      sequence: whole('Counts from 0.'),
      phase: text('As in `phases`.'),
      conditions_json: json(
        'Other load, steal time, frequencies, temperature, throttling, pace of the core.',
      ),
    },
  },
  baselines: {
    meaning: 'A named run that later runs are compared with; it cannot be deleted.',
    columns: {
      suite: text('Suite of the run.'),
      name: text('Name given by `edgeflex baseline set`.'),
      run_id: runId,
      set_at: moment('When the name was given.'),
    },
  },
  floors: {
    meaning: 'Noise floor of a device, from `edgeflex calibrate`: fp32 against itself.',
    columns: {
      id: whole('Primary key.'),
      device: text('Name of the device.'),
      environment_hash: text('Hash of everything that must match for it to apply.'),
      batch: whole('Batch size.', 'images'),
      metric: text('`latency` or `memory`.'),
      run_id: text('The calibration: `runs.id`.'),
      measured_at: moment('When it was measured.'),
      floor_json: json('The noise floor.'),
    },
  },
  rooflines: {
    meaning: 'Peak performance of a device, from `edgeflex roofline`.',
    columns: {
      id: whole('Primary key.'),
      device: text('Name of the device.'),
      environment_hash: text('Hash of everything that must match for it to apply.'),
      measured_at: moment('When it was measured.'),
      version: text('Version of EdgeFlex.'),
      setting_json: json('Environment, threads, runtime and session options.'),
      ceilings_json: json('Every ceiling with its raw times.'),
    },
  },
  leases: {
    meaning: 'The process that is working on a run; only while one is.',
    columns: {
      run_id: runId,
      token: text('Token of the holder.'),
      host: text('Host name.'),
      pid: whole('Process id.'),
      process_start: orNull(text('Start time of the process, to recognise a reused id; null if unknown.')),
      taken_at: moment('When it was taken.'),
      beat_at: moment('Last sign of life.'),
    },
  },
  tokens: {
    meaning: 'A token of `edgeflex serve`, which lets its holder use the dashboard.',
    columns: {
      name: text('Name given by `edgeflex serve token add`.'),
      role: text('`read`, `submit` or `admin`.'),
      hash: text('SHA-256 of the token.'),
      created_at: moment('When it was made.'),
    },
  },
  audit: {
    meaning: 'A change made through `edgeflex serve`, or a token that it refused.',
    columns: {
      id: whole('Primary key.'),
      at: moment('When it happened.'),
      actor: orNull(text('Name of the token; null if none was given, or it is unknown.')),
      role: orNull(text('Role of the token; null likewise.')),
      address: orNull(text('Network address of the caller; null for the command line.')),
      action: text('Such as `queue.submit`, `token.add`, `token.refused`.'),
      target: text('What it was done to.'),
      outcome: text('`done`, `refused` or `failed`.'),
      detail: orNull(text('Why it was refused or failed; null otherwise.')),
    },
  },
  kept: {
    meaning:
      'What `edgeflex serve` has computed of a run that has ended; made again where it is missing or out of date.',
    columns: {
      run_id: runId,
      kind: text(
        '`points` (of a history), `observed` (for procurement), `analysis`, `report`, or `changes`: where series of its suite changed.',
      ),
      question: text('Hash of what was asked beside the run.'),
      state: text('Hash of what it follows from: the code, the run, calibrations.'),
      digest: text('SHA-256 of the body.'),
      body: bytes('Compressed, as the code that made it reads it.'),
      made_at: moment('When it was computed.'),
    },
  },
};
