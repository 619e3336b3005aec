import type { PageSection } from '../html/frame.js';

/** A part of a page that others show in theirs: the sections of a report, with what their code needs inside. */
export interface Fragment {
  readonly sections: readonly FragmentSection[];
}

/** A section with a title of its own. */
export interface FragmentSection {
  readonly id: string;
  readonly title: string;
  /** HTML without script, style and handlers: texts in it are escaped. Charts and sorting need `report/behaviour`. */
  readonly html: string;
}

/**
 * Sections for somebody else's page; those that have nothing to show are left out.
 *
 * @param sections - in order
 */
export function fragmentOf(sections: readonly PageSection[]): Fragment {
  return {
    sections: sections.flatMap(({ id, title, content }) =>
      content === undefined ? [] : [{ id, title, html: content.text }],
    ),
  };
}
