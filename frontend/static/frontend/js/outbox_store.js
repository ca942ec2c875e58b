// Where unsent decisions lie in this browser: IndexedDB, one record for each, in the order they were made.
//
// Every write asks for strict durability (on the disk, not only handed to the system) and commits at once instead of at
// the end of the task, so that a tab which crashes right after the key press has already handed it over.

const NAME = "rld.outbox";
const STORE = "entries";

export class OutboxStore {
  constructor(userId) {
    this.userId = userId;
    this.opened = open();
    this.opened.catch(() => {});
  }

  /** What an earlier visit left, oldest first. Rejects when this browser keeps nothing. */
  async read() {
    const request = await this.run("readonly", (store) => store.index("user").getAll(this.userId));
    return request.result;
  }

  /** Resolves when the entry, or its newer state under the same key, is on the disk. */
  async put(entry) {
    await this.run("readwrite", (store) => store.put({ ...entry, user: this.userId }));
  }

  async remove(key) {
    await this.run("readwrite", (store) => store.delete(key));
  }

  async run(mode, act) {
    const database = this.database ?? (this.database = await this.opened);
    return new Promise((done, fail) => {
      const transaction = database.transaction(STORE, mode, { durability: "strict" });
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => done(request);
      transaction.onabort = transaction.onerror = () => fail(transaction.error);
      if (mode === "readwrite") transaction.commit();
    });
  }
}

function open() {
  return new Promise((done, fail) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" }).createIndex("user", "user");
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
}
