/** The parameter of a spec that says which variant a reader looks at: in the table, or in another chart. Nothing: all of them. */
export const LINKED = 'linked';
