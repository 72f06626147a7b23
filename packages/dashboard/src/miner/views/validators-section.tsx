import { formatTime, shortHotkey } from '../../model/format.ts';
import type { ValidatorAnswer } from '../model/miner-status.ts';

const RESULTS: Readonly<Record<string, string>> = {
  answered: 'answered',
  refused: 'refused',
  unanswered: 'no answer',
};

/** Whom the miner asked for its data, and what came of it. */
export function ValidatorsSection({ validators }: { validators: readonly ValidatorAnswer[] }) {
  return (
    <section class="card" aria-labelledby="validators-title">
      <h2 id="validators-title">Validators that were asked</h2>
      {validators.length === 0 ? (
        <p>The metagraph has no validator that could be asked.</p>
      ) : (
        <ul class="validators">
          {validators.map((validator) => (
            <ValidatorRow key={validator.hotkey} {...validator} />
          ))}
        </ul>
      )}
    </section>
  );
}

function ValidatorRow({ hotkey, result, text, lastOrderMs, isShown }: ValidatorAnswer) {
  return (
    <li>
      <span class="hotkey" title={hotkey}>
        {shortHotkey(hotkey)}
      </span>
      <span class={result === 'answered' ? 'tone-up' : 'tone-down'}>{RESULTS[result] ?? result}</span>
      {isShown && <span class="badge">shown here</span>}
      {lastOrderMs !== null && <span class="muted">last order {formatTime(lastOrderMs)} UTC</span>}
      {text !== '' && <span class="reason muted">{text}</span>}
    </li>
  );
}
