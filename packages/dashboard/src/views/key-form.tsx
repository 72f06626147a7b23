import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

/** Asks for the key. */
export function KeyForm({ failure, onKey }: { failure: string | null; onKey: (apiKey: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = 'PTN dashboard';
  }, []);
  // At once: what is typed now belongs there. After a refusal it is to be replaced.
  useLayoutEffect(() => {
    input.current?.focus();
  }, [failure]);
  return (
    <main class="key-page">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          // Of the field itself: what was typed just before is not drawn yet.
          const given = input.current?.value.trim() ?? '';
          if (given !== '') onKey(given);
        }}
      >
        <h1>PTN dashboard</h1>
        <p>Positions, orders and statistics of this validator as they happen.</p>
        <label>
          <span>API key of tier 100</span>
          <input
            type="password"
            name="api-key"
            autocomplete="off"
            spellcheck={false}
            required
            ref={input}
            aria-describedby={failure === null ? 'key-note' : 'key-failure key-note'}
            aria-invalid={failure !== null}
          />
        </label>
        {failure !== null && (
          <p role="alert" id="key-failure" class="failure">
            {failure}
          </p>
        )}
        <button type="submit" class="primary">
          Open
        </button>
        <p id="key-note" class="muted">
          The key stays in this tab and is forgotten when the tab is closed. It is sent to this server only.
        </p>
      </form>
    </main>
  );
}
