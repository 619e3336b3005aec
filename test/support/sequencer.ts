import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take longest, the longest first: browsers, emulated boards, many commands one after the other. Begun last, one of them
 * would keep one worker busy while the other has nothing to do.
 */
const longest = [
  'run/browsers',
  'faults/kills',
  'device/ssh/faults',
  'run/boards',
  'device/browser',
  'run/raw-devices',
  'run/load-devices',
  'run/pictures',
  'run/hosts',
  'run/several-boards',
  'plugins/plugins',
  'cli/lying-board',
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
