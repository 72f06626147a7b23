import type { ComponentChildren } from 'preact';
import { shortHotkey, toneOf } from '../model/format.ts';
import { placeLink } from '../model/place.ts';
import type { View } from '../model/place.ts';

/** A number that is good above `middle` and bad below; its text has a sign, so that the colour is not needed. */
export function Toned({ value, middle = 0, text }: { value: unknown; middle?: number; text: string }) {
  return <span class={`tone-${toneOf(value, middle)}`}>{text}</span>;
}

export function Side({ side }: { side: string }) {
  return <span class={`side side-${side.toLowerCase()}`}>{side}</span>;
}

export function MinerLink({ hotkey, view = 'miners' }: { hotkey: string; view?: View }) {
  return (
    <a href={placeLink(view, hotkey)} title={hotkey} aria-label={`Miner ${hotkey}`} class="hotkey">
      {shortHotkey(hotkey)}
    </a>
  );
}

export function Facts({ children }: { children: ComponentChildren }) {
  return <dl class="facts">{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Search(props: { label: string; value: string; onValue: (value: string) => void }) {
  return (
    <label class="search">
      <span>{props.label}</span>
      <input
        type="search"
        value={props.value}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => {
          props.onValue(event.currentTarget.value);
        }}
      />
    </label>
  );
}
