import { pageSource } from '../../device/browser/launch.js';
import { browserSchema } from '../../device/browser/profile.js';
import type { PicturedChart } from './pictured.js';

/** Formats of charts beside SVG. */
export const printFormats = ['png', 'pdf'] as const;

export type PrintFormat = (typeof printFormats)[number];

/** Pixels of a PNG for each of the chart's. */
const SCALE = 2;

/**
 * Charts as PNG with twice the pixels, and as PDF with lines and text as such, each as large as the chart: drawn by the browser, which
 * draws the page of the report, too.
 *
 * @param charts - with their pictures
 * @param formats - which
 * @returns files by name: `accuracy-latency.pdf`
 * @throws DeviceError when there is no browser, or it does not start
 */
export async function printCharts(
  charts: readonly PicturedChart[],
  formats: readonly PrintFormat[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  if (formats.length === 0 || charts.length === 0) return files;
  const source = await pageSource(browserSchema.parse({ kind: 'browser', name: 'charts', provider: 'wasm' }));
  try {
    const { page, close } = await source.open();
    try {
      await page.setJavaScriptEnabled(false);
      for (const { chart, svg } of charts) {
        const { width, height } = sizeOf(svg);
        await page.setViewport({ width, height, deviceScaleFactor: SCALE });
        await page.setContent(pageOf(svg, width, height), { waitUntil: 'load' });
        for (const format of formats)
          files.set(
            `${chart.id}.${format}`,
            format === 'png'
              ? await page.screenshot({ type: 'png', clip: { x: 0, y: 0, width, height } })
              : await page.pdf({ width, height, printBackground: true, pageRanges: '1' }),
          );
      }
    } finally {
      await close();
    }
  } finally {
    await source.close();
  }
  return files;
}

/**
 * Charts in formats beside SVG, as files beside theirs.
 *
 * @param charts - with their pictures
 * @param formats - which
 * @returns files by their paths in the folder of a report: `charts/cost-latency.pdf`
 * @throws as `printCharts`
 */
export async function chartFiles(
  charts: readonly PicturedChart[],
  formats: readonly PrintFormat[],
): Promise<[path: string, content: Uint8Array][]> {
  return [...(await printCharts(charts, formats))].map(([name, bytes]) => [`charts/${name}`, bytes]);
}

/** A page of the picture alone: in an image nothing of it can run. */
function pageOf(svg: string, width: number, height: number): string {
  const data = Buffer.from(svg).toString('base64');
  return `<!doctype html><style>@page { size: ${width}px ${height}px; margin: 0 } html, body { margin: 0; background: #fff } img { display: block }</style><img width="${width}" height="${height}" src="data:image/svg+xml;base64,${data}">`;
}

/** In pixels, as Vega says it in the picture's first element. */
function sizeOf(svg: string): { readonly width: number; readonly height: number } {
  const root = /<svg[^>]*>/.exec(svg)?.[0] ?? '';
  const side = (name: string): number =>
    Math.ceil(Number(new RegExp(`\\b${name}="([\\d.]+)"`).exec(root)?.[1]));
  return { width: side('width'), height: side('height') };
}
