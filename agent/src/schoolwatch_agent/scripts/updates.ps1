# Pending updates from Windows Update's own cache (no traffic), its last successful look and installation,
# how it installs, and a pending restart. Titles are not sent, only the ids of the categories, which do not
# change with the language; of a WSUS server only that there is one.
$budget = 170
Read-Part 'settings' 15 {
  $agent = New-Object -ComObject Microsoft.Update.AutoUpdate
  $day = { param($at) if ($at) { ([datetime]::SpecifyKind($at, 'Utc')).ToString('o', [Globalization.CultureInfo]::InvariantCulture) } }
  [pscustomobject]@{
    last_search = & $day $agent.Results.LastSearchSuccessDate
    last_installed = & $day $agent.Results.LastInstallationSuccessDate
    level = $agent.Settings.NotificationLevel
  }
}
Read-Part 'pending' 150 {
  $searcher = (New-Object -ComObject Microsoft.Update.Session).CreateUpdateSearcher()
  $searcher.Online = $false
  $searcher.Search("IsInstalled=0 and IsHidden=0 and Type='Software'").Updates | ForEach-Object {
    [pscustomobject]@{ categories = @($_.Categories | ForEach-Object { $_.CategoryID }) }
  }
}
$keys = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending','HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired'
try { $answer.reboot = [bool]@($keys | Where-Object { Test-Path -LiteralPath $_ }).Count } catch { $answer.reboot = $null }
Write-Answer
