import { appendFileSync } from 'node:fs';

/** What is written of a conversation with an agent: the task it was given, what it said, what it wrote to its standard error. */
export type AgentLine = 'task' | 'event' | 'stderr';

/** An event with the logits of a batch is thousands of characters; its beginning says enough. */
const MOST_CHARACTERS = 500;

/**
 * Where conversations with agents are written for whoever looks for a fault: the file that `EDGEFLEX_AGENT_LOG` names, to which
 * every agent of every device appends its lines.
 *
 * @returns writes a line; does nothing where the variable is not set
 */
export function agentLog(): (pid: number | undefined, kind: AgentLine, text: string) => void {
  const path = process.env['EDGEFLEX_AGENT_LOG'];
  if (!path) return () => undefined;
  return (pid, kind, text) => {
    // The task is written whole: given to the agent's file by hand, it does the same again.
    const shown = kind === 'task' ? text : text.slice(0, MOST_CHARACTERS);
    appendFileSync(path, `${new Date().toISOString()} agent ${pid ?? '?'} ${kind}: ${shown.trimEnd()}\n`);
  };
}
