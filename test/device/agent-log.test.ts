import { readFile, writeFile } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import { taskSchema } from '../../src/protocol/task.js';
import { useFolder } from '../support/folder.js';
import { writeMicro } from '../support/micro.js';
import { openTestDevice, perform, timing } from '../support/tasks.js';

const folder = useFolder();

it('a conversation with an agent is written where EDGEFLEX_AGENT_LOG says: its task whole, its events, its stderr', async () => {
  vi.stubEnv('EDGEFLEX_AGENT_LOG', folder('agents.log'));
  const { model } = await writeMicro(folder());
  await writeFile(folder('inputs.bin'), new Uint8Array(3 * 32 * 32 * 4));
  const bounds = { minQueries: 1, minSeconds: 0.01, maxSeconds: 5, maxWarmupSeconds: 1 };
  const device = await openTestDevice();
  await perform(device, timing(model, folder('inputs.bin'), 1, bounds));
  vi.unstubAllEnvs();
  const lines = (await readFile(folder('agents.log'), 'utf8')).trim().split('\n');
  const task = / task: (\{.*\})$/.exec(lines[0] ?? '')?.[1] ?? '';
  expect(taskSchema.parse(JSON.parse(task))).toMatchObject({ kind: 'performance', model });
  expect(lines.at(-1)).toContain('"finished"');
  expect(lines.filter((line) => line.includes(' event: '))).not.toEqual([]);
});
