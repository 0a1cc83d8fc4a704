/** The contract between the demo, which submits, and its workers: all that a client imports. */
import { Schema } from "effect"
import { Task } from "fastworker"

/** The mail server refused the recipient, with this reply code. */
export class MailRejected extends Schema.TaggedError<MailRejected>()("MailRejected", {
  to: Schema.String,
  code: Schema.Int
}) {
  override get message() {
    return `${this.to} was refused with code ${this.code}`
  }
}

/** The file can't be read as a picture. */
export class NotAPicture extends Schema.TaggedError<NotAPicture>()("NotAPicture", { path: Schema.String }) {
  override get message() {
    return `${this.path} is not a picture`
  }
}

/** The file can't be read; `code` is the system's, such as `EACCES`. */
export class FileUnreadable extends Schema.TaggedError<FileUnreadable>()("FileUnreadable", {
  path: Schema.String,
  code: Schema.String
}) {
  override get message() {
    return `${this.path} can't be read (${this.code})`
  }
}

const Address = Schema.String.check(Schema.isPattern(/^[^@\s]+@[^@\s]+$/u, { expected: "a mail address" }))

export const sendEmail = Task.make("sendEmail", {
  description: "Sends one mail over SMTP",
  args: { to: Address, subject: Schema.String, text: Schema.String },
  success: Schema.Struct({ messageId: Schema.String }),
  error: MailRejected,
  priority: "high"
})

export const makeThumbnail = Task.make("makeThumbnail", {
  description: "Makes a small picture of a large one",
  args: { path: Schema.String, target: Schema.String, width: Schema.Int },
  success: Schema.Struct({ width: Schema.Int, height: Schema.Int, bytes: Schema.Int }),
  error: NotAPicture
})

export const digestFile = Task.make("digestFile", {
  description: "SHA-256 of a file",
  args: { path: Schema.String },
  success: Schema.Struct({ sha256: Schema.String, bytes: Schema.Int }),
  error: FileUnreadable,
  priority: "low"
})
