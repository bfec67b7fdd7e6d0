"""The commands, in the order that help lists them."""

from pretune.cli.commands.ask import check, evaluate, predict, trace
from pretune.cli.commands.catalogue import datasets, models
from pretune.cli.commands.dossier import dossier
from pretune.cli.commands.export import export
from pretune.cli.commands.judge import audit, compare, judge, plan, report
from pretune.cli.commands.practice import explain, learn, practice
from pretune.cli.commands.push import push
from pretune.cli.commands.review import review
from pretune.cli.commands.selftest import selftest
from pretune.cli.commands.serve import serve
from pretune.cli.commands.talk import chat
from pretune.cli.commands.train import finetune, pretrain, run
from pretune.cli.commands.verify import verify
from pretune.cli.commands.view import view
from pretune.cli.commands.watch import watch

COMMANDS = (
    run, check, finetune, judge, review, evaluate, predict, chat, serve, watch, trace, compare, audit, plan, pretrain, export,
    push, dossier, models, datasets, report, learn, practice, explain, view, verify, selftest,
)  # fmt: skip
