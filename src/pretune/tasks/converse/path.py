"""The whole path of conversation, on one screen: data → fine-tuning → replies of every source → verdict → report."""

import time
from dataclasses import replace
from pathlib import Path

from pretune import storage
from pretune.configs import ConverseRunConfig, parse_duration
from pretune.data.conversations import ConversationSet
from pretune.data.safety import read_safety
from pretune.data.seal.openings import read_openings
from pretune.data.seal.seal import Seal
from pretune.errors import DivergedError, UsageError, require
from pretune.models import PEFT, LanguageNetwork
from pretune.models.past import past_of
from pretune.records import Conversation, RunRecord, Verdict
from pretune.run import UNFINISHED, RunFolder, check_run, claim_folder
from pretune.run.claim import default_name
from pretune.run.job import Job, inputs_of
from pretune.run.trace import Trace
from pretune.tasks.converse.begin import MOMENT, begin_run, load_rows, look_back_on, moment_of, settle
from pretune.tasks.converse.beyond import read_yardsticks
from pretune.tasks.converse.estimator import ChatModel
from pretune.tasks.converse.fit import EncodedSplits, encode_splits, fit_chat, with_mix
from pretune.tasks.converse.judge import ChatCandidate, open_and_judge
from pretune.tasks.converse.keep import Trained, keep_trained
from pretune.tasks.converse.pace import choose_part, part_of
from pretune.tasks.converse.start import open_chat
from pretune.tasks.converse.together import check_company, invite_others
from pretune.train import Plan, Resume, choose_device, seed_everything
from pretune.verdict.reply_policy import load_reply_policy

BUDGET = "budget.json"  # beside the checkpoints: what was chosen when a run that may be cut off was begun


def run(job: Job[ConverseRunConfig]) -> RunRecord:
    """Take conversations to a verdict; training that an interrupted run finished is not repeated."""
    folder = job.folder
    if folder.is_to_be_replaced or not folder.is_begun or folder.read_record().status in UNFINISHED:
        finetune(job, is_judged=True)
    return judge_run(folder, job.config.policy, job.trace)


def finetune(job: Job[ConverseRunConfig], *, is_judged: bool = False) -> RunRecord:
    """Read, split, seal and train; validation figures only, the test stays sealed.

    Args:
        job: What the command line asks for.
        is_judged: Whether the same command judges afterwards, so that a budget has to do for that as well.
    """
    config, folder, trace = settle(job.config), job.folder, job.trace
    check_company(config)
    inputs = job.inputs or inputs_of(job.command, job.source, job.config)
    load_reply_policy(config.policy)  # what cannot be read is better refused now than after training
    read_safety(config.chat.safety)
    read_yardsticks(config)
    if config.finetune.lora:
        require(**PEFT)
    own = config.finetune
    device = choose_device(own.device, precision=own.precision, threads=own.threads)
    seed_everything(config.seed)
    data = load_rows(job)
    start, template, moment = open_chat(config.model, device, trace, moment=moment_of(folder))
    network = start.network
    past = look_back_on(past_of(config.model), data, trace)
    encoded = encode_splits(data.train, data.validation, template, start.tokenizer, max_length=own.max_length or 0, trace=trace)
    record = begin_run(data, config, folder, start.licence, job.told, inputs=inputs)
    folder.write_kept(past)
    if moment:
        storage.replace_json(folder.checkpoints / MOMENT, {"moment": moment})
    trace.keep_in(folder.trace, begin=True)
    plan = Plan(
        epochs=config.epochs,
        freeze=config.freeze,
        device=device,
        seed=config.seed,
        checkpoints=Resume(folder=folder.checkpoints, continue_changed=folder.continue_changed),
    )
    num_asked = data.seal.num_rows if is_judged else 0
    encoded, plan = _within_budget(job, config, network, encoded, plan, num_asked=num_asked)
    chosen = replace(config, epochs=plan.epochs)
    plan = replace(plan, world=invite_others(job, chosen, encoded, moment=moment))
    encoded = with_mix(encoded, config, template, start.tokenizer, trace)
    try:
        fitted = fit_chat(network, encoded, config=own, plan=plan, trace=trace)
    except DivergedError as error:
        folder.write_record(replace(record, status="diverged", failure=error.got))
        raise
    learned = past_of(config.model).with_texts(row.text for row in (*data.train, *data.validation))
    trained = Trained(
        network=network,
        tokenizer=start.tokenizer,
        template=template,
        encoded=encoded,
        fitted=fitted,
        learned=learned,
        moment=moment,
    )
    record = replace(record, device=str(device))
    return keep_trained(trained, data.training, config, record, folder, trace, start=job.start)


def judge_run(folder: RunFolder, policy: str | None, trace: Trace) -> RunRecord:
    """Ask every source, open the sealed test once, evaluate, diagnose, decide, and write the report."""
    record = folder.read_record()
    folder.hold()
    if record.status in UNFINISHED:
        how = record.failure or "it was cut off before training ended"
        raise UsageError(f"{folder.path} has no model: {how}", expected="a trained model", fix="run its command again")
    check_run(folder, record, ignore=_is_written_again)
    read_openings(folder.openings, head=record.heads.get("data/openings.jsonl", ""))  # a lost one would be a look for free
    trace.keep_in(folder.trace)
    config = replace(record.chat_settings, policy=policy or record.chat_settings.policy)
    own = config.finetune
    candidate = ChatCandidate(
        train=tuple(map(Conversation.from_example, folder.read_examples("train"))),
        validation=tuple(map(Conversation.from_example, folder.read_examples("validation"))),
        seal=Seal.load(folder.sealed),
        device=choose_device(own.device, precision=own.precision, threads=own.threads),
    )
    return open_and_judge(candidate, config, record, folder, trace)


def _is_written_again(line: str) -> bool:
    """Whether a difference from the record is in what judging is about to write."""
    name = line.partition(" ")[0]
    return name in ("data/copies.jsonl",) or name.startswith(("predictions/test.", "predictions/general.", "predictions/inst"))


def _within_budget(
    job: Job[ConverseRunConfig],
    config: ConverseRunConfig,
    network: LanguageNetwork,
    encoded: EncodedSplits,
    plan: Plan,
    *,
    num_asked: int,
) -> tuple[EncodedSplits, Plan]:
    """Return what a budget has time for, as it was chosen when this run was begun; all of it where there is none.

    The time that judging takes for ``num_asked`` questions is left over.
    """
    if config.budget is None:
        return encoded, plan
    place = job.folder.checkpoints / BUDGET
    known = storage.read_json(place) if place.is_file() else None
    if known is None:
        left = (1 - config.chat.mix) * (parse_duration(config.budget) - (time.perf_counter() - job.start))
        chosen = choose_part(network, encoded, config.finetune, plan, left, job.trace, num_asked=num_asked)
        known = {"epochs": chosen.epochs, "num_rows": chosen.num_rows, "num_held": chosen.num_held}
        storage.replace_json(place, known)
    encoded = part_of(encoded, known["num_rows"], known.get("num_held"), seed=config.seed)
    return encoded, replace(plan, epochs=known["epochs"])


def judge(
    model: ChatModel,
    data: ConversationSet,
    *,
    run: str | Path | None = None,
    policy: str | None = None,
    trace: Trace | None = None,
) -> Verdict:
    """Open the sealed test once and say: ship, do not ship, or not enough evidence; makes a run folder.

    Args:
        model: A model fitted on ``data``.
        data: The result of ``load_conversations``.
        run: The run folder; by default ``runs/DATA-MODEL``, with a number if that is taken.
        policy: A TOML file that replaces the policy for conversations.
        trace: Receives the stages.

    Raises:
        LedgerError: The ledger of openings was changed; the seal stays shut.
        UsageError: The run folder is taken, the policy cannot be read, or other conversations trained the model.
    """
    start, trace, config = time.perf_counter(), trace or Trace(), replace(model.settings(), policy=policy)
    load_reply_policy(policy)
    trained = model.trained(data.training)
    folder = claim_folder(default_name(data.receipt.source, model.model), {}, named=Path(run) if run is not None else None)
    past = look_back_on(past_of(model.model), data, trace)
    record = begin_run(data, config, folder, model.licence_, "pretune.judge(model, data)")
    folder.write_kept(past)
    trace.keep_in(folder.trace, begin=True)
    record = keep_trained(
        trained, data.training, config, replace(record, device=str(model.device_)), folder, trace, start=start
    )
    candidate = ChatCandidate(train=data.train, validation=data.validation, seal=data.seal, device=model.device_)
    judged = open_and_judge(candidate, config, record, folder, trace)
    return replace(Verdict.from_json(judged.to_json()["verdict"]), run=str(folder.path))
