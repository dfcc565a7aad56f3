"""The sentences of the history: one for each kind of event, in Chinese and in English.

`{name}` stands for a field as it is shown, `{former name}` for what it was before, `{changes}` for all fields that
changed, `{money}` for an amount with its currency, `{follower}` for whose conversation it was where somebody else
noted it, `{what}` for the opportunity or receivable it happened to. A part
in square brackets is left out where one of its values is missing.
"""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "customer.registered": (
        "{actor}登记了客户[ {code}][ {name}][，负责人：{owner_id}][，流失原因：{churn_reason}]",
        "{actor} registered the customer[ {code}][ {name}][, owner: {owner_id}][, reason for leaving: {churn_reason}]",
    ),
    "customer.profile-revised": (
        "{actor}修改了客户资料：{changes}",
        "{actor} changed the customer's profile: {changes}",
    ),
    "customer.contact-added": (
        "{actor}添加了联系人[ {name}][（{title}）]",
        "{actor} added the contact[ {name}][ ({title})]",
    ),
    "customer.contact-revised": (
        "{actor}修改了联系人[ {contact}]：{changes}",
        "{actor} changed the contact[ {contact}]: {changes}",
    ),
    "customer.contact-removed": (
        "{actor}移除了联系人[ {former name}]",
        "{actor} removed the contact[ {former name}]",
    ),
    "customer.owner-assigned": (
        "{actor}将负责人[由{former owner_id}]改为{owner_id}",
        "{actor} changed the owner[ from {former owner_id}] to {owner_id}",
    ),
    "customer.categorised": (
        "{actor}将客户分类[由「{former category}」]改为「{category}」",
        "{actor} changed the category[ from “{former category}”] to “{category}”",
    ),
    "customer.lifecycle-moved": (
        "{actor}将客户状态[由「{former lifecycle}」]改为「{lifecycle}」（{occurred_on}）"
        "[，依据：{basis}][，流失原因：{churn_reason}]",
        "{actor} moved the customer[ from “{former lifecycle}”] to “{lifecycle}” ({occurred_on})"
        "[, because: {basis}][, reason for leaving: {churn_reason}]",
    ),
    "customer.intent-set": (
        "{actor}将意向[由「{former intent}」]定为「{intent}」[（第 {call_back} 次回访）]",
        "{actor} noted the intent “{intent}”[, before “{former intent}”][ (call-back {call_back})]",
    ),
    "customer.tagged": ("{actor}添加了标签「{tag}」", "{actor} added the tag “{tag}”"),
    "customer.untagged": ("{actor}移除了标签「{tag}」", "{actor} removed the tag “{tag}”"),
    "customer.follow-up-logged": (
        "{actor}记录了跟进：{method}，{occurred_at}[，跟进人：{follower}][，参与人员：{participants}]"
        "[，事务类型：{interaction}][，主题：{subject}][，内容：{content}][，客户反馈：{feedback}]"
        "[，态度：{attitude}][，进度 {progress}%][，意向：{intent}][，结果：{result}][，成交日期 {deal_on}]"
        "[，{unanswered}][，下次联系 {next_contact_on}][，下一步：{next_action}]",
        "{actor} logged a follow-up: {method}, {occurred_at}[, by {follower}][, participants: {participants}]"
        "[, interaction: {interaction}][, subject: {subject}][, content: {content}]"
        "[, feedback: {feedback}][, attitude: {attitude}][, progress {progress}%][, intent: {intent}]"
        "[, result: {result}][, deal on {deal_on}][, {unanswered}][, next contact {next_contact_on}]"
        "[, next: {next_action}]",
    ),
    "customer.archived": ("{actor}归档了客户", "{actor} archived the customer"),
    "customer.reopened": ("{actor}恢复了客户", "{actor} reopened the customer"),
    "customer.contact-erased": (
        "{actor}永久删除了一位联系人的个人信息",
        "{actor} erased what was known of a contact, for good",
    ),
    "customer.erased": (
        "{actor}永久删除了客户及其所有联系人的个人信息",
        "{actor} erased what was known of the customer and all its contacts, for good",
    ),
    "opportunity.opened": (
        "{actor}新建了商机{what}[，阶段：{stage}][，金额 {amount} {currency}][，预计成交 {expected_close_on}]",
        "{actor} opened the opportunity {what}[, stage: {stage}][, amount {amount} {currency}]"
        "[, expected close {expected_close_on}]",
    ),
    "opportunity.stage-advanced": (
        "{actor}将商机{what}[由「{former stage}」]推进到「{stage}」[（{occurred_on}）]",
        "{actor} advanced the opportunity {what}[ from “{former stage}”] to “{stage}”[ ({occurred_on})]",
    ),
    "opportunity.stage-moved-back": (
        "{actor}将商机{what}[由「{former stage}」]退回到「{stage}」[（{occurred_on}）]",
        "{actor} moved the opportunity {what} back[ from “{former stage}”] to “{stage}”[ ({occurred_on})]",
    ),
    "opportunity.stage-date-corrected": (
        "{actor}更正了商机{what}第 {entry_number} 次进入阶段的日期[，由 {former occurred_on} ]改为 {occurred_on}",
        "{actor} corrected the date of stage entry {entry_number} of the opportunity {what}"
        "[ from {former occurred_on}] to {occurred_on}",
    ),
    "opportunity.amount-revised": (
        "{actor}将商机{what}的金额[由 {former money} ]改为 {money}",
        "{actor} changed the amount of the opportunity {what}[ from {former money}] to {money}",
    ),
    "opportunity.expected-close-revised": (
        "{actor}将商机{what}的预计成交日期[由 {former expected_close_on} ]改为 {expected_close_on}",
        "{actor} changed the expected close of the opportunity {what}[ from {former expected_close_on}]"
        " to {expected_close_on}",
    ),
    "opportunity.details-revised": (
        "{actor}修改了商机{what}：{changes}",
        "{actor} changed the opportunity {what}: {changes}",
    ),
    "opportunity.owner-assigned": (
        "{actor}将商机{what}的负责人[由{former owner_id}]改为{owner_id}",
        "{actor} changed the owner of the opportunity {what}[ from {former owner_id}] to {owner_id}",
    ),
    "opportunity.won": (
        "{actor}赢得了商机{what}：{amount} {currency}（{occurred_on}）[，此前阶段「{former stage}」]",
        "{actor} won the opportunity {what}: {amount} {currency} ({occurred_on})[, from the stage “{former stage}”]",
    ),
    "opportunity.lost": (
        "{actor}丢失了商机{what}（{occurred_on}）[，原因：{loss_reason}][，此前阶段「{former stage}」]",
        "{actor} lost the opportunity {what} ({occurred_on})[, reason: {loss_reason}]"
        "[, from the stage “{former stage}”]",
    ),
    "opportunity.reopened": (
        "{actor}重新打开了商机{what}，阶段「{stage}」[（{occurred_on}）]",
        "{actor} reopened the opportunity {what} at the stage “{stage}”[ ({occurred_on})]",
    ),
    "receivable.issued": (
        "{actor}开出了应收款{what}：{amount} {currency}，开票日期 {issued_on}，到期日 {due_on}",
        "{actor} issued the receivable {what}: {amount} {currency}, issued on {issued_on}, due on {due_on}",
    ),
    "receivable.payment-received": (
        "{actor}登记了应收款{what}的回款 {amount} {currency}（{occurred_on}）[，方式：{method}][，备注：{note}]",
        "{actor} recorded a payment of {amount} {currency} for the receivable {what} ({occurred_on})"
        "[, by {method}][, note: {note}]",
    ),
    "receivable.payment-reversed": (
        "{actor}冲销了应收款{what}的回款 {amount} {currency}（{occurred_on}）",
        "{actor} reversed a payment of {amount} {currency} for the receivable {what} ({occurred_on})",
    ),
    "receivable.due-date-moved": (
        "{actor}将应收款{what}的到期日[由 {former due_on} ]改为 {due_on}",
        "{actor} moved the due date of the receivable {what}[ from {former due_on}] to {due_on}",
    ),
    "receivable.reminder-recorded": (
        "{actor}发送了应收款{what}的付款提醒（{occurred_on}，{channel}）[，备注：{note}]",
        "{actor} sent a payment reminder for the receivable {what} ({occurred_on}, {channel})[, note: {note}]",
    ),
    "receivable.disputed": (
        "{actor}登记了对应收款{what}的争议（{occurred_on}）[：{note}]",
        "{actor} noted that the receivable {what} is disputed ({occurred_on})[: {note}]",
    ),
    "receivable.dispute-settled": (
        "{actor}登记应收款{what}的争议已解决（{occurred_on}）[：{note}]",
        "{actor} noted that the dispute over the receivable {what} is settled ({occurred_on})[: {note}]",
    ),
    "receivable.written-off": (
        "{actor}核销了应收款{what}的 {amount} {currency}（{occurred_on}）",
        "{actor} wrote off {amount} {currency} of the receivable {what} ({occurred_on})",
    ),
    "team.formed": (
        "{actor}新建了团队「{name}」[，地区：{region}]",
        "{actor} formed the team “{name}”[, region: {region}]",
    ),
    "team.renamed": (
        "{actor}将团队[「{former name}」]改名为「{name}」",
        "{actor} renamed the team[ “{former name}”] to “{name}”",
    ),
    "team.region-assigned": (
        "{actor}将团队的地区[由{former region}]改为{region}[（{occurred_on}）]",
        "{actor} changed the team's region[ from {former region}] to {region}[ ({occurred_on})]",
    ),
    "team.placed": (
        "{actor}将团队的上级[由{former parent_id}]改为{parent_id}",
        "{actor} placed the team below {parent_id}[, before below {former parent_id}]",
    ),
    "member.registered": (
        "{actor}登记了成员[ {name}][，团队：{team_id}][，角色：{roles}]",
        "{actor} registered the member[ {name}][, team: {team_id}][, roles: {roles}]",
    ),
    "member.invited": (
        "{actor}邀请成员[ {what}]登录[（{email}）]",
        "{actor} invited the member[ {what}] to sign in[ ({email})]",
    ),
    "member.roles-given": (
        "{actor}将成员[ {what}]的角色[由 {former roles} ]改为 {roles}",
        "{actor} changed the roles of the member[ {what}][ from {former roles}] to {roles}",
    ),
    "member.handed-over": (
        "{actor}将成员[ {what}]负责的 {customers} 位客户和 {opportunities} 个商机交接给{member_id}",
        "{actor} handed {customers} customers and {opportunities} opportunities of the member[ {what}]"
        " over to {member_id}",
    ),
    "member.suspended": ("{actor}停用了成员[ {what}]", "{actor} suspended the member[ {what}]"),
    "member.resumed": ("{actor}恢复了成员[ {what}]", "{actor} let the member[ {what}] act again"),
    "member.removed": ("{actor}移除了成员[ {what}]", "{actor} removed the member[ {what}]"),
    "member.erased": (
        "{actor}永久删除了一位已移除成员的个人信息",
        "{actor} erased what was known of a member who had left, for good",
    ),
    "member.renamed": (
        "{actor}将成员[ {former name}]改名为 {name}",
        "{actor} renamed the member[ {former name}] to {name}",
    ),
    "member.team-assigned": (
        "{actor}将成员[ {what}]的团队[由{former team_id}]改为{team_id}[（{occurred_on}）]",
        "{actor} moved the member[ {what}][ from the team {former team_id}] to {team_id}[ ({occurred_on})]",
    ),
    "product.added": (
        "{actor}添加了产品「{name}」[，系列：{series}][，价格 {price}][ {currency}]",
        "{actor} added the product “{name}”[, series: {series}][, price {price}][ {currency}]",
    ),
    "product.revised": (
        "{actor}修改了产品[「{what}」]：{changes}",
        "{actor} changed the product[ “{what}”]: {changes}",
    ),
    "pipeline.defined": (
        "{actor}定义了销售流程「{name}」：{stages}",
        "{actor} defined the pipeline “{name}”: {stages}",
    ),
    "pipeline.stages-revised": (
        "{actor}将销售流程的阶段[由 {former stages} ]改为 {stages}",
        "{actor} changed the stages of the pipeline[ from {former stages}] to {stages}",
    ),
    "workspace.configured": (
        "{actor}设定了工作区：时区 {time_zone}，币种 {currency}，客户编号 {code_prefix} 加 {code_width} 位流水号",
        "{actor} configured the workspace: time zone {time_zone}, currency {currency}, "
        "customer codes {code_prefix} with {code_width} digits",
    ),
    "import-batch.started": (
        "{actor}开始导入 {file_name}（{profile}）",
        "{actor} began to import {file_name} ({profile})",
    ),
    "import-batch.finished": (
        "{actor}完成导入：共 {rows} 行，新增 {added}，未变 {unchanged}，内容不同 {differing}，拒绝 {refused}",
        "{actor} finished an import: {rows} rows, {added} added, {unchanged} unchanged, "
        "{differing} differing, {refused} refused",
    ),
}
"""By topic: Chinese, English."""

NOTHING = ("空", "nothing")
"""What stands for a value that was cleared, or cannot be read any more."""
UNANSWERED = ("未接通", "not answered")
CHANGE = ("{field}由「{before}」改为「{after}」", "{field} from “{before}” to “{after}”")
FILLED = ("{field}设为「{after}」", "{field} set to “{after}”")
CLEARED = ("{field}清空（原为「{before}」）", "{field} cleared (was “{before}”)")
BETWEEN = ("；", "; ")
