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
  'run/hosts',
  'device/browser',
  'run/boards',
  'search/search',
  'vit/browsers',
  'faults/kills',
  'run/pictures',
  'docs/guard-in-ci',
  'run/several-boards',
  'run/embeddings',
  'device/ssh/lock',
  'examples/examples',
  'cli/load',
  'cli/columns',
  'run/disturbed',
  'cli/lying-board',
  'run/raw',
  'run/load-devices',
  'queue/worker',
  'library/library',
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
