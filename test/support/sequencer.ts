import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take longest, the longest first: browsers, emulated boards, many commands one after the other. Begun last, one of them
 * would keep one worker busy while the others have nothing to do.
 */
const longest = [
  'run/raw-devices',
  'run/browsers',
  'device/browser',
  'device/ssh/faults',
  'run/pictures',
  'device/ssh/check',
  'run/hosts',
  'run/boards',
  'cli/compare',
  'vit/browsers',
  'search/search',
  'examples/examples',
  'faults/kills',
  'run/embeddings',
  'run/several-boards',
  'device/ssh/lock',
  'run/disturbed',
  'run/load-devices',
  'run/stages-kept',
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
