import { expect, it, onTestFinished, vi } from 'vitest';
import type { BuildContext } from '../../src/run/artifacts/build-context.js';
import { loadModel, modelHere } from '../../src/model/load.js';
import { nodeEngine } from '../../src/runtime/node.js';
import { openLossJudge } from '../../src/search/loss-judge.js';
import { useFolder } from '../support/folder.js';
import { microDirectory, openShapes } from '../support/micro.js';

const folder = useFolder();
const data = await openShapes();

it('the judge of losses tells how many images there is time for, and how many are held out', async () => {
  vi.stubEnv('EDGEFLEX_CACHE', folder());
  onTestFinished(() => void vi.unstubAllEnvs());
  const context: BuildContext = {
    ...{ engine: await nodeEngine(), threads: 1, train: data.train, seed: 1, device: undefined },
    signal: new AbortController().signal,
    onProgress: () => undefined,
  };
  const micro = await loadModel(
    await modelHere({ kind: 'path', name: 'micro', path: microDirectory }),
    data.test.labels,
  );
  // A quarter of the 512 of shapes10 is held out; in 20 seconds there is time for 200 of 100 ms, and for 100 of 200 ms.
  expect(await openLossJudge(micro, context, 100)).toMatchObject({ images: 128, affordable: 200 });
  expect(await openLossJudge(micro, context, 200)).toMatchObject({ images: 100, affordable: 100 });
});
