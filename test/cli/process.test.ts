import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/cli/failure.js';
import { edgeflex, edgeflexProcess } from './support.js';

describe('the command in a process of its own', () => {
  it.each([
    [['--version'], exitCodes.fine],
    [['runs', '--help'], exitCodes.fine],
    [['run', 'nowhere.yaml'], exitCodes.usage],
    [['rum'], exitCodes.usage],
  ])('%j ends by itself, says what it says when it is called, and ends with %d', async (args, code) => {
    const [own, called] = [await edgeflexProcess(args, {}), await edgeflex(args, {})];
    expect(own).toEqual(called);
    expect(own).toMatchObject({ code, signal: null });
  });
});
