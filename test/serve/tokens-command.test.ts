import { Command } from 'commander';
import { expect, it, vi } from 'vitest';
import { choosePlace } from '../../src/cli/options/results.js';
import { serveCommand } from '../../src/cli/commands/serve.js';
import { databaseIn } from '../../src/base/paths.js';
import { openStore } from '../../src/store/open.js';
import { listTokens } from '../../src/store/tokens.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();

it('makes and removes tokens by the flags of the inner command, not of the server', async () => {
  const run = async (...words: string[]): Promise<void> => {
    const root = new Command().exitOverride().addCommand(serveCommand());
    root.hook('preAction', (_, command) => {
      choosePlace(command);
    });
    await root.parseAsync(['serve', 'token', ...words, '--results', folder('results')], { from: 'user' });
  };
  const written = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  try {
    await run('add', '--name', 'ci', '--role', 'submit', '--json');
    await run('add', '--name', 'gone', '--role', 'read', '--json');
    await run('remove', '--name', 'gone', '--json');
    expect(written).toHaveBeenCalledTimes(3);
  } finally {
    written.mockRestore();
  }
  const db = await openStore(databaseIn(folder('results')));
  try {
    expect((await listTokens(db)).map(({ name, role }) => [name, role])).toEqual([['ci', 'submit']]);
  } finally {
    await db.destroy();
  }
});
