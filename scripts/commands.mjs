// Writes docs/reference/commands.md: every command as its --help has it.
import { writeFileSync } from 'node:fs';
import { commands } from '../dist/cli/commands.js';

/** As many characters as a code block of the site shows without scrolling. */
const WIDTH = 70;

/** A command's help, and that of the commands below it. */
function sections(command, before, depth) {
  const name = `${before} ${command.name()}`;
  const children = command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help');
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => WIDTH });
  command.configureHelp({ minWidthToWrap: 20 });
  command.outputHelp();
  // A command that belongs to no program does not know how that is called.
  const text = help.replace(/^Usage: /, 'Usage: edgeflex ');
  return [
    `${'#'.repeat(depth)} ${name}\n\n\`\`\`text\n${text.trim()}\n\`\`\`\n`,
    ...children.flatMap((child) => sections(child, name, depth + 1)),
  ];
}

const pages = [];
for (const { name, description, load } of commands) {
  const command = await load();
  if (name !== command.name()) throw new Error(`${name} is called ${command.name()}`);
  pages.push(...sections(command.description(description), 'edgeflex', 2));
}
const intro =
  '`edgeflex <command> --help` prints the same in a terminal; [Commands](../usage.md) is the short version.\n';
writeFileSync('docs/reference/commands.md', ['# Every command\n', intro, ...pages].join('\n'));
