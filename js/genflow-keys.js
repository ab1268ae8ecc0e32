// SPDX-License-Identifier: Apache-2.0
/**
 * The idempotency keys of generations whose end was not seen: part of genflow.js. They are in sessionStorage,
 * so that a reload finds them, or where that is full or forbidden in memory.
 */

const MOST = 100; // keys; the oldest go

/** @typedef {{ key: string, ids: string[] }} Saved ids: of the generations that it has made and that live */

export class SavedKeys {
    #name;
    #storage;
    /** @type {Record<string, Saved>} */
    #memory = {};

    /**
     * @param {string} name of the item
     * @param {Pick<Storage, 'getItem' | 'setItem'>} [storage]
     */
    constructor(name, storage) {
        this.#name = name;
        this.#storage = storage ?? ownStorage();
        this.#load();
    }

    /**
     * The key of this request: a saved one, or a new one, which is saved. `again`: it is a saved one.
     * @param {string} request
     */
    take(request) {
        const name = digest(request);
        const all = this.#load();
        const again = name in all;
        if (!again) {
            all[name] = { key: randomKey(), ids: [] };
            this.#save(Object.fromEntries(Object.entries(all).slice(-MOST)));
        }
        return { key: all[name].key, again };
    }

    /**
     * The key has made these, which have not ended.
     * @param {string} key
     * @param {string[]} ids
     */
    made(key, ids) {
        this.#change((saved) => (saved.key === key ? { key, ids } : saved));
    }

    /**
     * The same request makes a new generation from now on.
     * @param {string} key
     */
    drop(key) {
        this.#change((saved) => (saved.key === key ? null : saved));
    }

    /**
     * The generation has ended; with the last of its key the key goes.
     * @param {string} id
     */
    ended(id) {
        this.#change((saved) => {
            if (!saved.ids.includes(id)) return saved;
            const ids = saved.ids.filter((one) => one !== id);
            return ids.length > 0 ? { ...saved, ids } : null;
        });
    }

    /** @param {(saved: Saved) => Saved | null} change */
    #change(change) {
        const before = Object.entries(this.#load());
        const after = before.flatMap(([name, saved]) => {
            const next = change(saved);
            return next ? [[name, next]] : [];
        });
        if (JSON.stringify(before) !== JSON.stringify(after)) this.#save(Object.fromEntries(after));
    }

    #load() {
        try {
            const text = this.#storage?.getItem(this.#name);
            if (text) this.#memory = JSON.parse(text);
        } catch {
            this.#storage = undefined;
        }
        return this.#memory;
    }

    /** @param {Record<string, Saved>} all */
    #save(all) {
        this.#memory = all;
        try {
            this.#storage?.setItem(this.#name, JSON.stringify(all));
        } catch {
            this.#storage = undefined;
        }
    }
}

function ownStorage() {
    try {
        return globalThis.document ? globalThis.sessionStorage : undefined;
    } catch {
        return undefined;
    }
}

export function randomKey() {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * A name for a text; where two texts have the same one the server refuses the key for the second.
 * @param {string} text
 */
function digest(text) {
    let [one, two] = [0xdeadbeef, 0x41c6ce57];
    for (let i = 0; i < text.length; i += 1) {
        one = Math.imul(one ^ text.charCodeAt(i), 2654435761);
        two = Math.imul(two ^ text.charCodeAt(i), 1597334677);
    }
    return `${text.length}.${(one >>> 0).toString(36)}.${(two >>> 0).toString(36)}`;
}
