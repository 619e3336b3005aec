import type { AgentEvent, Phase } from './events.js';
import { phases } from './events.js';
import { ProtocolError } from './protocol-error.js';
import { ServedCheck } from './served-check.js';
import { isTimedTask, type Task } from './task.js';

/**
 * More than any agent has to say: of a task (it begins, ends its phases, ends), of an image that it scores (a query, logits, how
 * far it is), and in a second of timing (twice a second what it timed and how far it is, and what a meter says).
 */
const EVENTS_OF_TASK = 1000;
const EVENTS_OF_IMAGE = 8;
const EVENTS_OF_SECOND = 100;

/** No query takes longer, and no phase: an hour and a day, in milliseconds. */
const MOST_QUERY_MS = 3_600_000;
const MOST_PHASE_MS = 24 * MOST_QUERY_MS;

/** Nor more processor time, of however many cores. */
const MOST_CPU_MS = 10_000 * MOST_PHASE_MS;

/** No core is further from another than a second, in nanoseconds. */
const MOST_CORE_LATENCY_NS = 1e9;

/** A warm-up has no more queries than this. */
const MOST_WARMUP_QUERIES = 100_000_000;

/** Nodes of a model, calls of one in a query, and bytes of anything: far more than any device has. */
const MOST_NODES = 100_000;
const MOST_CALLS = 10_000_000;
const MOST_BYTES = 2 ** 53;

/** What the tasks of a kind consist of. */
interface Script {
  /** The phases it can have, which come in this order and once each, */
  readonly phases: readonly Phase[];
  /** and those that figures are made from. */
  readonly needed: readonly Phase[];
  /** The phase that must be over before latencies come; undefined where none may. */
  readonly timedAfter?: Phase;
  /** The phase that must be over before logits come; undefined where none may. */
  readonly logitsAfter?: Phase;
}

/** What is timed in a session that is warm. */
const timedScript: Script = {
  phases,
  needed: ['runtime', 'load', 'first', 'warmup', 'steady'],
  timedAfter: 'warmup',
  logitsAfter: 'steady',
};

const scripts: Readonly<Record<Task['kind'], Script>> = {
  prepare: { phases: ['runtime', 'prepare'], needed: ['prepare'] },
  accuracy: {
    phases: ['runtime', 'prepare', 'load', 'first', 'steady'],
    needed: ['runtime', 'load'],
    timedAfter: 'load',
    logitsAfter: 'load',
  },
  memory: {
    phases: ['runtime', 'prepare', 'load', 'first', 'steady'],
    needed: ['runtime', 'prepare', 'load', 'first', 'steady'],
  },
  kernels: { phases: ['runtime', 'prepare', 'load', 'steady'], needed: ['runtime'] },
  placement: { phases: [], needed: [] },
  performance: timedScript,
  server: timedScript,
  offline: timedScript,
};

/**
 * Holds what an agent says against what it was asked: which events there can be, in which order, how often, and within which
 * bounds. An agent on another machine is believed no more than any other input; what is let through here the database takes and
 * figures can be made from.
 */
export class ConversationCheck {
  private readonly script: Script;
  private readonly mostEvents: number;
  private readonly ended = new Set<Phase>();
  private events = 0;
  private started = false;
  private over = false;
  private warmedUp = false;
  private kernels = false;
  private placement = false;
  private latencies = 0;
  private done = 0;
  /** The image whose logits are due. */
  private image = 0;
  /** Of a task of load. */
  private readonly load: ServedCheck | undefined;
  private classes: number | undefined;

  /**
   * @param task - what was asked
   * @param classes - how many the logits must have; undefined where nobody knows
   */
  constructor(
    private readonly task: Task,
    classes?: number,
  ) {
    this.script = scripts[task.kind];
    this.mostEvents = mostEvents(task);
    this.load = task.kind === 'server' || task.kind === 'offline' ? new ServedCheck(task) : undefined;
    this.classes = classes;
  }

  /**
   * Takes the next event.
   *
   * @throws ProtocolError when it cannot be
   */
  hear(event: AgentEvent): void {
    this.events += 1;
    if (this.events > this.mostEvents) refuse(`more than ${this.mostEvents} events in one task`);
    if (this.over) refuse(`"${event.event}" after the end`);
    if (!this.started && event.event !== 'started' && event.event !== 'failed' && this.opensRuntime)
      refuse(`"${event.event}" before "started"`);
    this.checked(event);
  }

  /**
   * Takes that nothing follows.
   *
   * @throws ProtocolError when something is missing
   */
  end(): void {
    const { task, script, ended } = this;
    if (!this.started && this.opensRuntime) refuse('it never said which runtime it has');
    const missing = script.needed.find((phase) => !ended.has(phase));
    if (missing !== undefined) refuse(`the phase "${missing}" never ended`);
    switch (task.kind) {
      case 'prepare':
      case 'memory':
        return;
      case 'placement':
        if (!this.placement) refuse('it never said how far its cores are apart');
        return;
      case 'accuracy':
        this.checkImages(task.count);
        return;
      case 'kernels':
        if (!this.kernels) refuse('it named no kernel');
        return;
      case 'performance':
        if (this.latencies === 0) refuse('it timed no query');
        if (!this.warmedUp) refuse('it never said how the warm-up went');
        this.checkImages(task.batch);
        return;
      case 'server':
      case 'offline':
        this.load?.end();
        if (!this.warmedUp) refuse('it never said how the warm-up went');
        this.checkImages(task.batch);
    }
  }

  private checked(event: AgentEvent): void {
    switch (event.event) {
      case 'started':
        if (this.started) refuse('"started" twice');
        if (!this.opensRuntime) refuse('"started" where no runtime is asked for');
        this.started = true;
        return;
      case 'phase':
        this.checkPhase(event);
        return;
      case 'conditions':
        if (!this.script.phases.includes(event.phase))
          refuse(`conditions of the phase "${event.phase}", which a task of this kind does not have`);
        return;
      case 'warmedUp':
        if (!isTimedTask(this.task) || this.warmedUp || this.ended.has('warmup'))
          refuse('"warmedUp" where no warm-up ends');
        within('queries of the warm-up', event.queries, 0, MOST_WARMUP_QUERIES);
        this.warmedUp = true;
        return;
      case 'latencies':
        this.checkAfter('latencies', this.load ? undefined : this.script.timedAfter);
        if (this.task.kind === 'performance' && this.ended.has('steady'))
          refuse('latencies after the phase "steady"');
        for (const each of event.milliseconds)
          within('a latency in ms', each, Number.MIN_VALUE, MOST_QUERY_MS);
        this.latencies += event.milliseconds.length;
        return;
      case 'served':
      case 'trial':
        this.checkAfter(`"${event.event}"`, this.load && this.script.timedAfter);
        if (this.ended.has('steady')) refuse(`"${event.event}" after the phase "steady"`);
        if (event.event === 'served') this.load?.served(event);
        else this.load?.trial(event);
        return;
      case 'logits':
        this.checkAfter('logits', this.script.logitsAfter);
        this.checkLogits(event);
        return;
      case 'kernels':
        if (this.task.kind !== 'kernels' || this.kernels) refuse('kernels that nobody asked for');
        this.checkKernels(event);
        this.kernels = true;
        return;
      case 'placement':
        if (this.task.kind !== 'placement' || this.placement) refuse('placement that nobody asked for');
        for (const each of event.nanoseconds) within('a latency in ns', each, 0, MOST_CORE_LATENCY_NS);
        this.placement = true;
        return;
      case 'progress':
        if (event.done < this.done) refuse(`progress of ${event.done} after ${this.done}`);
        this.done = event.done;
        return;
      case 'finished':
      case 'failed':
        this.over = true;
    }
  }

  /** Whether a task of this kind loads the runtime, and says so before anything else. */
  private get opensRuntime(): boolean {
    return this.task.kind !== 'placement';
  }

  private checkPhase(event: Extract<AgentEvent, { event: 'phase' }>): void {
    const { phase, milliseconds, cpuMilliseconds = 0, memory } = event;
    const { script, ended } = this;
    const at = script.phases.indexOf(phase);
    if (at < 0) refuse(`the phase "${phase}", which a task of this kind does not have`);
    const later = script.phases.slice(at).find((each) => ended.has(each));
    if (later !== undefined)
      refuse(later === phase ? `the phase "${phase}" twice` : `the phase "${phase}" after "${later}"`);
    within(`the phase "${phase}" in ms`, milliseconds, 0, MOST_PHASE_MS);
    within(`the processor time of the phase "${phase}" in ms`, cpuMilliseconds, 0, MOST_CPU_MS);
    for (const [figure, bytes] of Object.entries(memory)) within(figure, bytes, 0, MOST_BYTES);
    ended.add(phase);
  }

  private checkAfter(what: string, phase: Phase | undefined): void {
    if (phase === undefined) refuse(`${what} that nobody asked for`);
    else if (!this.ended.has(phase)) refuse(`${what} before the end of the phase "${phase}"`);
  }

  private checkLogits({ first, classes, values }: Extract<AgentEvent, { event: 'logits' }>): void {
    this.classes ??= classes;
    if (first !== this.image) refuse(`logits of image ${first} where those of image ${this.image} are due`);
    if (classes !== this.classes) refuse(`logits of ${classes} classes where images have ${this.classes}`);
    const images = floatsIn(values) / classes;
    if (images === 0) refuse('logits of no image');
    if (!Number.isInteger(images)) refuse(`logits of ${images} images`);
    this.image += images;
    const due = this.task.kind === 'accuracy' ? this.task.count : batchOf(this.task);
    if (this.image > due) refuse(`logits of ${this.image} images where ${due} were asked for`);
  }

  private checkKernels({ nodes }: Extract<AgentEvent, { event: 'kernels' }>): void {
    within('nodes', nodes.length, 1, MOST_NODES);
    for (const { node, calls, milliseconds, gpuMilliseconds } of nodes) {
      within(`calls of ${node}`, calls, 1, MOST_CALLS);
      for (const each of [...milliseconds, ...(gpuMilliseconds ?? [])])
        within(`milliseconds of ${node}`, each, 0, MOST_QUERY_MS);
    }
  }

  private checkImages(due: number): void {
    if (this.image !== due) refuse(`logits of ${this.image} images where ${due} were asked for`);
  }
}

/** Hears whether an agent gets on: one that repeats how far it is, and says nothing else, has hung. */
export class News {
  private done = -1;

  /** Whether an event says something that was not known. */
  isNew(event: AgentEvent): boolean {
    if (event.event !== 'progress') return event.event !== 'conditions';
    if (event.done <= this.done) return false;
    this.done = event.done;
    return true;
  }
}

/** How many events an agent may need at most, so that one that goes on for ever is ended soon. */
function mostEvents(task: Task): number {
  switch (task.kind) {
    case 'prepare':
    case 'memory':
    case 'kernels':
    case 'placement':
      return EVENTS_OF_TASK;
    case 'accuracy':
      return EVENTS_OF_TASK + EVENTS_OF_IMAGE * task.count;
    case 'performance':
    case 'server':
    case 'offline': {
      const seconds = Math.ceil(task.maxWarmupSeconds + task.maxSeconds);
      return EVENTS_OF_TASK + EVENTS_OF_IMAGE * task.batch + EVENTS_OF_SECOND * seconds;
    }
  }
}

/** How many float32 a base64 text has. */
function floatsIn(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return (base64.length * 0.75 - padding) / Float32Array.BYTES_PER_ELEMENT;
}

function batchOf(task: Task): number {
  return 'batch' in task ? task.batch : 0;
}

function within(what: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  refuse(value > most ? `${what} of ${value}, more than ${most}` : `${what} of ${value}`);
}

function refuse(what: string): never {
  throw new ProtocolError(what);
}
