import { html, type Markup } from '../../../report/html/markup.js';
import { signIn as words } from '../../../text/dashboard/shell.js';
import { storedToken, storeToken } from '../api.js';
import { element } from '../dom.js';

/**
 * Asks for a token.
 *
 * @param show - shows a view
 * @param done - called when there is one
 * @param signal - ends it
 */
export function signIn(
  show: (title: string, content: Markup) => void,
  done: () => void,
  signal: AbortSignal,
): void {
  const refused = storedToken() !== null;
  storeToken(null);
  show(
    words.title,
    html`<p>${words.why}</p>
      <form id="sign-in" class="stack">
        <label class="field"
          ><span>${words.token}</span>
          <input
            type="password"
            name="token"
            autocomplete="off"
            spellcheck="false"
            required
            aria-describedby="sign-in-fault"
        /></label>
        <p id="sign-in-fault" role="alert">${refused ? words.refused : ''}</p>
        <button type="submit" class="main">${words.submit}</button>
      </form>`,
  );
  const form = element('sign-in');
  const input = form.querySelector('input');
  input?.focus();
  form.addEventListener(
    'submit',
    (event) => {
      event.preventDefault();
      const token = input?.value.trim() ?? '';
      if (token === '') {
        element('sign-in-fault').textContent = words.empty;
        return;
      }
      storeToken(token);
      done();
    },
    { signal },
  );
}
