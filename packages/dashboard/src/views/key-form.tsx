import { useState } from 'preact/hooks';

/** Asks for the key. */
export function KeyForm({ failure, onKey }: { failure: string | null; onKey: (apiKey: string) => void }) {
  const [text, setText] = useState('');
  return (
    <main class="key-page">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== '') onKey(text.trim());
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
            autofocus
            value={text}
            aria-describedby="key-note"
            aria-invalid={failure !== null}
            onInput={(event) => {
              setText(event.currentTarget.value);
            }}
          />
        </label>
        {failure !== null && (
          <p role="alert" class="failure">
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
