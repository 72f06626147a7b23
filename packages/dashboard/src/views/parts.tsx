import type { ComponentChildren } from 'preact';
import { formatReturn, formatShortTime, formatTime, shortHotkey, toneOf } from '../model/format.ts';
import { placeLink } from '../model/place.ts';
import type { View } from '../model/place.ts';

/** A return factor in percent; its text has a sign, so that the colour is not needed. */
export function Return({ factor }: { factor: unknown }) {
  return <span class={`tone-${toneOf(factor)}`}>{formatReturn(factor)}</span>;
}

/** A moment, in short where the page is narrow. */
export function Moment({ timeMs }: { timeMs: number | null }) {
  return (
    <>
      <time class="extra">{formatTime(timeMs)}</time>
      <time class="short">{formatShortTime(timeMs, Date.now())}</time>
    </>
  );
}

export function Side({ side }: { side: string }) {
  return <span class={`side side-${side.toLowerCase()}`}>{side}</span>;
}

export function MinerLink({ hotkey, view = 'miners' }: { hotkey: string; view?: View }) {
  return (
    <a
      href={placeLink(view, hotkey)}
      title={hotkey}
      aria-label={`Miner ${shortHotkey(hotkey)}`}
      class="hotkey"
    >
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
