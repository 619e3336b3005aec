import { Command, InvalidArgumentError, Option } from 'commander';
import { comment } from '../../library/comment.js';
import { wholeNumber } from '../options/flags.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { stopOnSignal } from '../stop.js';

interface CommentFlags {
  readonly name: string;
  readonly number?: number;
  readonly link: Readonly<Record<string, string>>;
  readonly missing?: string;
  readonly json?: true;
}

/** `edgeflex comment`: a Markdown file as the one comment on a pull request. */
export function commentCommand(): Command {
  const command = new Command('comment')
    .argument('<file>', 'a Markdown file, such as "edgeflex gate --format markdown -o" writes')
    .option(
      '--name <name>',
      'distinguishes this comment from others on the same request, such as those of other suites',
      'edgeflex',
    )
    .option('--number <n>', "number of the pull or merge request; default: that of the CI's job", wholeNumber)
    .addOption(
      new Option(
        '--link <link>',
        'add a link at the end, such as "full reports=https://example.org"; repeatable',
      )
        .argParser(linkOf)
        .default({}, 'none'),
    )
    .option('--missing <text>', 'post this if the file does not exist, so that no outdated comment remains')
    .option('--json', 'print the address of the comment as JSON')
    .action(async (file: string, { name, number, link: links, missing, json }: CommentFlags) => {
      const { signal, release } = stopOnSignal();
      try {
        const posted = await comment(file, { name, number, links, missing, signal });
        const { updated, id } = posted;
        if (json) printJson('comment', posted);
        else console.log(`comment ${id} ${updated ? 'updated' : 'added'}`);
      } finally {
        release();
      }
    });
  return explained(command, {
    notes: [
      'A later comment with the same name replaces the earlier one, which is found by a hidden marker. In GitHub Actions (Gitea, Forgejo) the environment says where to; GITHUB_TOKEN must be set, and the workflow needs the permission pull-requests: write. In GitLab CI, GITLAB_TOKEN must hold a token with the scope api.',
    ],
    examples: [
      'edgeflex comment comment.md',
      'edgeflex comment comment.md --name cifar10 --link "full reports=https://example.org/reports"',
    ],
  });
}

function linkOf(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const [, name, address] = /^([^=[\]()]+)=(https?:\/\/[^\s()]+)$/.exec(text) ?? [];
  // The address of what was not uploaded is empty.
  if (text.endsWith('=')) return before;
  if (name === undefined || address === undefined)
    throw new InvalidArgumentError(
      'Expected a text and an address, such as "reports=https://example.org/1".',
    );
  return { ...before, [name]: address };
}
