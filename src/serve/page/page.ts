import type { Markup } from '../../report/html/markup.js';
import type { Answer } from '../api/routes.js';
import type { LiveEvents } from './live.js';

/** What a view works with while it is shown. */
export interface Page {
  /** Parameters of its path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Of its address. */
  readonly query: URLSearchParams;
  readonly session: Answer<'session'>;
  readonly live: LiveEvents;
  /** Ends when the page shows something else. */
  readonly signal: AbortSignal;
  /**
   * Shows something: a heading, which is also the window's title, and what is below it.
   *
   * @param title - of the view
   * @param content - below the heading
   */
  readonly show: (title: string, content: Markup) => void;
  /**
   * Goes to another address.
   *
   * @param address - within the dashboard
   * @param how - whether the browser's "back" leads here; `quietly`: the address changes, and the view stays
   */
  readonly go: (address: string, how?: 'push' | 'replace' | 'quietly') => void;
}

/** A page of the dashboard. */
export type View = (page: Page) => Promise<void>;
