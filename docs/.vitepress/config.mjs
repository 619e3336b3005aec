import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';

const root = fileURLToPath(new URL('../..', import.meta.url));
const site = join(root, 'dist', 'docs');

/** Files that pages link to and that are no pages: profiles, suites, a workflow, a report. They become part of the site. */
const linked = new Set();

/**
 * Makes links to files that are no pages lead to the site's copies of them.
 *
 * @param {import('vitepress').MarkdownRenderer} markdown
 */
function linkFiles(markdown) {
  markdown.core.ruler.push('files', ({ tokens, env }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.attrGet('href');
      if (token.type !== 'link_open' || !href || /^([a-z]+:|#|\/)/.test(href)) continue;
      const [path] = href.split('#');
      const file = normalize(join('docs', dirname(env.relativePath), path));
      if (file.startsWith('docs') && /\.md$/.test(file)) continue;
      // The page that people look at, where a text lies beside it for other programs.
      const shown = file.replace(/(reports.*)\.md$/, '$1.html');
      if (!existsSync(join(root, shown)))
        throw new Error(`${env.relativePath} links to ${file}, which is not there`);
      linked.add(shown);
      token.attrSet('href', `/files/${shown}`);
      token.attrSet('target', '_blank');
    }
  });
}

export default defineConfig({
  title: 'EdgeFlex',
  description: 'Compresses Vision Transformers and measures what that gains on real hardware.',
  lang: 'en-GB',
  outDir: site,
  cacheDir: join(root, 'dist', 'docs-cache'),
  cleanUrls: true,
  lastUpdated: false,
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: '/favicon.svg' }]],
  markdown: { config: linkFiles },
  buildEnd() {
    // What the first page shows; elsewhere it is part of a page.
    copyFileSync(join(root, 'docs', 'report.png'), join(site, 'report.png'));
    for (const file of linked) {
      const copy = join(site, 'files', file);
      mkdirSync(dirname(copy), { recursive: true });
      copyFileSync(join(root, file), copy);
    }
    console.log(
      `${linked.size} files beside the pages: ${[...linked].map((file) => relative('.', file)).join(', ')}`,
    );
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Quickstart', link: '/quickstart' },
      { text: 'Tutorials', link: '/tutorials/compress-your-model' },
      { text: 'Commands', link: '/reference/commands' },
      { text: 'Library', link: '/library' },
      // Written by TypeDoc beside the pages.
      { text: 'API', link: '/api/index.html', target: '_blank' },
    ],
    sidebar: [
      {
        text: 'Start',
        items: [
          { text: 'Quickstart', link: '/quickstart' },
          { text: 'Compress your own model', link: '/tutorials/compress-your-model' },
          { text: 'Compare devices, and buy one', link: '/tutorials/compare-devices' },
          { text: 'An ablation in ten minutes', link: '/tutorials/ablation' },
          { text: 'Which board to buy', link: '/tutorials/which-board' },
          { text: 'Guard a model in CI', link: '/tutorials/guard-in-ci' },
        ],
      },
      {
        text: 'Use',
        items: [
          { text: 'Commands', link: '/usage' },
          { text: 'Supported models', link: '/models' },
          { text: 'Your own model, recipe, suite', link: '/recipes' },
          { text: 'Images of your own', link: '/images' },
          { text: 'Budgets', link: '/budgets' },
          { text: 'Load', link: '/load' },
          { text: 'Boards over SSH', link: '/boards' },
          { text: 'Browsers as devices', link: '/browsers' },
          { text: 'Results of several machines', link: '/shared-store' },
          { text: 'The dashboard', link: '/dashboard' },
          { text: 'A fleet of devices', link: '/fleet' },
          { text: 'Running a fleet', link: '/operations' },
          { text: 'Pull requests', link: '/ci' },
          { text: 'Library', link: '/library' },
        ],
      },
      {
        text: 'Reference',
        items: [
          { text: 'Every command', link: '/reference/commands' },
          { text: 'JSON output', link: '/reference/json' },
          { text: 'Results database', link: '/reference/database' },
          { text: 'Suites and recipes', link: '/reference/suites' },
          { text: 'Stages', link: '/reference/stages' },
          { text: 'Device profiles', link: '/reference/devices' },
          { text: 'What is stable', link: '/stability' },
          { text: 'Platforms', link: '/platforms' },
          { text: 'Glossary', link: '/glossary' },
        ],
      },
      {
        text: 'Understand',
        items: [
          { text: 'How EdgeFlex decides', link: '/how-edgeflex-decides' },
          { text: 'Architecture', link: '/architecture' },
          { text: 'Results', link: '/results' },
          { text: 'Memory', link: '/memory' },
          { text: 'Pruning', link: '/pruning' },
          { text: 'Reading a report', link: '/reports' },
          { text: 'How far from the limit', link: '/roofline' },
          { text: 'INT8 without VNNI', link: '/avx2' },
          { text: 'Neighbours', link: '/neighbours' },
        ],
      },
    ],
  },
});
