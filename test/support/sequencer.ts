import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take longest, the longest first: browsers, emulated boards, many commands one after the other. Begun last, one of them
 * would keep one worker busy while the others have nothing to do. Those with a software GPU take both cores, so that others stand between
 * them, which mostly wait.
 */
const longest = [
  'run/raw-devices',
  'device/ssh/faults',
  'cli/compare',
  'run/browsers',
  'device/ssh/check',
  'device/browser',
  'run/boards',
  'docs/guard-in-ci',
  'search/search',
  'vit/browsers',
  'faults/kills',
  'run/several-boards',
  'run/embeddings',
  'device/ssh/lock',
  'examples/examples',
  'package/package',
  'fuzz/fuzz',
  'cli/interrupted-browser',
  'run/hosts',
  'run/raw',
  'run/pictures',
  'cli/columns',
  'queue/worker',
  'queue/killed-worker',
  'run/load-devices',
  'library/library',
  'cli/lying-board',
  'run/stages-kept',
  'compress/pipeline',
  'stats/coverage',
  'vit/onnx',
  'compress/edge-cases',
  'compress/shrink',
  'analysis/history',
];

/** Runs the longest files first, and the others in vitest's own order. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return at < 0 ? longest.length : at;
    };
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => place(a) - place(b));
  }
}
