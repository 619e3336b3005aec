import { expect, it } from 'vitest';
import { closeAll } from '../../src/base/close.js';

it('everything is closed, also after one that cannot be', async () => {
  const closed: string[] = [];
  const open = ['one', 'two', 'three'].map((name) => ({
    name,
    close(): Promise<void> {
      closed.push(name);
      return name === 'two' ? Promise.reject(new Error('stuck')) : Promise.resolve();
    },
  }));
  const failed = await closeAll(open);
  expect(closed).toEqual(['one', 'two', 'three']);
  expect(failed.map(({ item, error }) => [item.name, (error as Error).message])).toEqual([['two', 'stuck']]);
});
