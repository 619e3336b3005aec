import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of a second, which Linux has everywhere. */
const TICKS = 100;

/**
 * Processor time of a process and of all that it has started, ended or not, in seconds. What it has not waited for yet is asked itself.
 *
 * @param pid - of the process
 */
export function processorSeconds(pid: number): number {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => timesOf(Number(name)) ?? []);
  const sum = (of: number): number => {
    const own = all.find((each) => each.pid === of);
    return (
      (own?.ticks ?? 0) +
      all.filter(({ parent }) => parent === of).reduce((total, { pid: child }) => total + sum(child), 0)
    );
  };
  return sum(pid) / TICKS;
}

interface Times {
  readonly pid: number;
  readonly parent: number;
  /** Of itself, and of the children that it has waited for. */
  readonly ticks: number;
}

function timesOf(pid: number): Times | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((total, each) => total + Number(each), 0);
    return { pid, parent: Number(fields[1]), ticks };
  } catch {
    return undefined;
  }
}
